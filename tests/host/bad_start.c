/* A plugin that says why it cannot start. */
#include <stdio.h>
#define BAD_START                                                                                  \
	snprintf(error->text, sizeof(error->text), "The index is broken.");                        \
	return LYC_DATA_LOSS
#include "bad.h"
