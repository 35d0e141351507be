/* Compares in one direction, and where something breaks in the other, too. */
#include "route/compatibility.h"

#include "base/error.h"
#include "schema/diff.h"

static void say(const struct diff *diff, const char *package, struct lyc_error *error)
{
	struct buf first = {0};
	diff_write(&diff->breaks[0], &first);
	const char *text = buf_text(&first);
	if (diff->count == 1)
		error_set(error, LYC_FAILED_PRECONDITION, "breaks records of %s: %.190s", package,
			  text ? text : "");
	else
		error_set(error, LYC_FAILED_PRECONDITION,
			  "%zu changes break records of %s, the first: %.160s", diff->count,
			  package, text ? text : "");
	buf_fini(&first);
}

enum compatibility compatibility_of(const struct schema *known, const struct schema *coming,
				    const char *package, struct lyc_error *error)
{
	enum compatibility result = INCOMPATIBLE;
	struct diff forward = {0};
	struct diff back = {0};
	if (schema_id(known) == schema_id(coming))
		return COMPATIBLE;
	if (diff_new(known, coming, package, &forward, error) != LYC_OK)
		return INCOMPATIBLE;
	if (forward.count == 0) {
		result = COMPATIBLE;
	} else {
		say(&forward, package, error);
		if (diff_new(coming, known, package, &back, NULL) == LYC_OK && back.count == 0)
			result = OLDER;
	}
	diff_fini(&forward);
	diff_fini(&back);
	return result;
}
