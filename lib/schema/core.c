/* The core schema, compiled once per process from the array that the build embeds. */
#include "schema/core.h"

#include <pthread.h>

#include "base/ensure.h"
#include "schema/core_set.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Under the lock; keeps its own reference for the life of the process. */
static struct schema *core;

enum lyc_status core_schema_get(struct schema **ret_schema)
{
	enum lyc_status status = LYC_OK;
	pthread_mutex_lock(&lock);
	if (!core)
		status = schema_new(core_set, core_set_len, &core, NULL);
	if (status == LYC_OK)
		*ret_schema = schema_ref(core);
	pthread_mutex_unlock(&lock);
	/* Our own set compiles, or the build is wrong. */
	ensure(status == LYC_OK || status == LYC_RESOURCE_EXHAUSTED);
	return status;
}
