/* A daemon in memory, and the plugin in it: see <lyceum/test.h>. */
#undef NDEBUG
#include <assert.h>
#include <string.h>

#include <lyceum/test.h>

#include "@name@.pb-c.h"

#define COUNT "@name@.v1.@Name@/Count"

int main(void)
{
	struct lyc_test *test = lyc_test_new(&lyc_plugin, NULL, NULL);
	struct lyc_error error;

	@Name@__V1__CountRequest request = @NAME@__V1__COUNT_REQUEST__INIT;
	request.text = "Ann, 42";
	const @Name@__V1__CountReply *reply =
		lyc_test_call(test, "ann@wales", COUNT, &request.base, NULL);
	assert(reply->letters == 3);

	/* The same with JSON; a rule of the .proto that is broken. */
	assert(strcmp(lyc_test_call_json(test, NULL, COUNT, "{\"text\": \"abc\"}", NULL),
		      "{\"letters\":3}") == 0);
	assert(!lyc_test_call_json(test, NULL, COUNT, "{}", &error));
	assert(error.status == LYC_INVALID_ARGUMENT && strcmp(error.field, "text") == 0);

	lyc_test_free(test);
	return 0;
}
