/* A plugin that crashes when it starts. */
#include <stdlib.h>
#define BAD_START abort()
#include "bad.h"
