/* A plugin that speaks for people, and does nothing else. */
#include "bad.h"
