/* A plugin that forgot a function. */
#define BAD_SLOT NULL
#include "bad.h"
