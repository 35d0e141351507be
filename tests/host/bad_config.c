/* A plugin whose configuration is not in its schema. */
#define BAD_CONFIG "lyceum.echo.v1.Nothing"
#include "bad.h"
