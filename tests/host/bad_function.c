/* A plugin that calls what nobody has. */
int lyc_not_any_more(void);
#define BAD_START lyc_not_any_more()
#include "bad.h"
