/* Patterns from strangers, matched against their own text. */
#include "base/ensure.h"
#include "schema/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct lyc_error error = {0};
	const struct pattern *pattern = NULL;
	uint64_t work = PATTERN_WORK / 10;
	enum lyc_status status = pattern_new(span_of(data, size), &arena, &work, &pattern, &error);
	ensure(status == LYC_OK ? pattern != NULL : error.text[0] != '\0');
	if (pattern) {
		bool matches = pattern_matches(pattern, data, size);
		ensure(pattern_matches(pattern, data, size) == matches);
	}
	arena_fini(&arena);
	return 0;
}
