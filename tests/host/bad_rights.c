/* A plugin that wants to publish what is no subject. */
#define BAD_PUBLISHES "lyceum.echo.v1..Note"
#include "bad.h"
