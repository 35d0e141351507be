/* A plugin of another ABI. */
#define BAD_ABI 99
#include "bad.h"
