/* A plugin that cannot be stopped. */
#define BAD_STOP NULL
#include "bad.h"
