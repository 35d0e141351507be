/* A plugin of another name. */
#define BAD_NAME "worse"
#include "bad.h"
