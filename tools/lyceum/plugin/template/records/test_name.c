/* Two regions and a hub in memory, and the plugin in both regions: see <lyceum/test.h>. */
#undef NDEBUG
#include <assert.h>
#include <string.h>

#include <lyceum/test.h>

#include "@name@.pb-c.h"

#define PUT "@name@.v1.@Name@/Put"
#define LIST "@name@.v1.@Name@/List"

int main(void)
{
	static const char *const regions[] = {"wales", "alps", NULL};
	const struct lyc_test_options options = {.regions = regions, .runs_everywhere = true};
	struct lyc_test *test = lyc_test_new(&lyc_plugin, &options, NULL);

	@Name@__V1__PutRequest put = @NAME@__V1__PUT_REQUEST__INIT;
	put.id = "first";
	put.text = "for all";
	const @Name@__V1__PutReply *reply =
		lyc_test_call(test, "ann@wales", PUT, &put.base, NULL);
	assert(strcmp(reply->note->text, "for all") == 0);
	lyc_test_call_json(test, "ann@wales", PUT,
			   "{\"id\": \"own\", \"text\": \"for us\", \"private\": true}", NULL);

	/* One has travelled, the other stays. */
	lyc_test_pass_ms(test, 500);
	const char *list = lyc_test_call_json(test, "bea@alps", LIST, "{}", NULL);
	assert(strstr(list, "for all") && !strstr(list, "for us"));
	assert(lyc_test_record_count(test, "wales", &@name@__v1__note__descriptor) == 2);

	/* The view comes from the log. */
	lyc_test_restart(test, "wales");
	assert(strstr(lyc_test_call_json(test, "ann@wales", LIST, "{}", NULL), "for us"));

	lyc_test_free(test);
	return 0;
}
