/* A plugin whose descriptor has another size. */
#define BAD_SIZE 8
#include "bad.h"
