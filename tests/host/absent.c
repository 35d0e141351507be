/* A library that is not found under the name that it says it has. */
#include <lyceum/status.h>

LYC_API int absent_function(void);

int absent_function(void)
{
	return 1;
}
