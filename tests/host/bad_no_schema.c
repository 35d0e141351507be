/* A plugin without a schema. */
#define BAD_SCHEMA_LEN 0
#include "bad.h"
