/* A plugin that needs a library which is nowhere. */
#include "bad.h"

int absent_function(void);
LYC_API int use_absent(void);

int use_absent(void)
{
	return absent_function();
}
