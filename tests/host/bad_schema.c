/* A plugin whose schema is cut off. */
#define BAD_SCHEMA_LEN 100
#include "bad.h"
