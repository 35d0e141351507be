/* Offers of services: turns among those here and those abroad, and their end with the session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "route/service.h"

static struct span text(const char *chars)
{
	return span_of(chars, strlen(chars));
}

static void test_service_offers_here_take_turns(void **state)
{
	(void)state;
	struct services services;
	struct session sessions[3];
	services_init(&services);
	assert_null(services_find(&services, text("a.Echo")));
	for (int i = 0; i < 3; i++) {
		list_init(&sessions[i].offers);
		services_offer(&services, &sessions[i], text("a.Echo"), text(""));
		struct service_entry *entry = services_find(&services, text("a.Echo"));
		assert_ptr_equal(services_pick_abroad(entry, text(""), NULL), NULL);
	}
	struct service_entry *entry = services_find(&services, text("a.Echo"));
	for (int i = 0; i < 9; i++)
		assert_ptr_equal(services_pick_here(entry)->session, &sessions[i % 3]);
	assert_true(services_withdraw(&services, &sessions[1]));
	assert_false(services_withdraw(&services, &sessions[1]));
	for (int i = 0; i < 8; i++)
		assert_ptr_equal(services_pick_here(entry)->session, &sessions[i % 2 * 2]);
	services_withdraw(&services, &sessions[0]);
	for (int i = 0; i < 3; i++)
		assert_ptr_equal(services_pick_here(entry)->session, &sessions[2]);
	/* What nobody offers any more costs nothing. */
	services_withdraw(&services, &sessions[2]);
	assert_null(services_find(&services, text("a.Echo")));
	services_fini(&services);
}

static void test_service_offers_abroad_are_of_a_node(void **state)
{
	(void)state;
	struct services services;
	struct session hub;
	list_init(&hub.offers);
	services_init(&services);
	services_offer(&services, &hub, text("a.Echo"), text("wales"));
	services_offer(&services, &hub, text("a.Echo"), text("nhsa"));
	services_offer(&services, &hub, text("a.Echoes"), text("third"));
	struct service_entry *entry = services_find(&services, text("a.Echo"));
	assert_null(services_pick_here(entry));
	assert_string_equal(services_pick_abroad(entry, text("nhsa"), NULL)->node, "nhsa");
	assert_string_equal(services_pick_abroad(entry, text("nhsa"), NULL)->node, "nhsa");
	assert_null(services_pick_abroad(entry, text("third"), NULL));
	assert_null(services_pick_abroad(entry, text("wale"), NULL));
	/* Whoever had the last turn comes last. */
	assert_string_equal(services_pick_abroad(entry, text(""), NULL)->node, "wales");
	assert_string_equal(services_pick_abroad(entry, text(""), NULL)->node, "nhsa");
	assert_string_equal(services_pick_abroad(entry, text(""), NULL)->node, "wales");
	/* Not back to where the call came from. */
	struct session other;
	list_init(&other.offers);
	services_offer(&services, &other, text("a.Echo"), text("cork"));
	for (int i = 0; i < 3; i++)
		assert_string_equal(services_pick_abroad(entry, text(""), &hub)->node, "cork");
	services_withdraw(&services, &other);
	assert_null(services_pick_abroad(entry, text(""), &hub));
	assert_true(services_withdraw(&services, &hub));
	assert_null(services_find(&services, text("a.Echo")));
	assert_null(services_find(&services, text("a.Echoes")));
	services_fini(&services);
}

/* What a method remembers of its service holds until an offer is the first or was the last. */
static void test_service_of_a_method_is_looked_for_again_after_a_change(void **state)
{
	(void)state;
	struct services services;
	struct session sessions[2];
	const struct schema_service echo = {.full_name = "a.Echo"};
	struct method_entry method = {.service = &echo};
	services_init(&services);
	assert_null(services_of_method(&services, &method));
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 2; i++) {
			list_init(&sessions[i].offers);
			services_offer(&services, &sessions[i], text(i ? "a.Other" : "a.Echo"),
				       text(""));
			assert_ptr_equal(services_of_method(&services, &method),
					 services_find(&services, text("a.Echo")));
			assert_non_null(services_of_method(&services, &method));
		}
		services_withdraw(&services, &sessions[0]);
		assert_null(services_of_method(&services, &method));
		services_withdraw(&services, &sessions[1]);
		assert_null(services_of_method(&services, &method));
	}
	services_fini(&services);
}

static void test_service_names_are_dotted_words(void **state)
{
	(void)state;
	static const char *const good[] = {"a", "a.B", "lyceum.notice.v1.Board", "A_1.b2"};
	static const char *const bad[] = {"",    ".",   "a.",  ".a",      "a..b",
					  "a b", "a@b", "a/b", "\xc3\xa4"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(service_name_is_valid(text(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(service_name_is_valid(text(bad[i])));
	char wide[202];
	memset(wide, 'x', sizeof(wide));
	assert_true(service_name_is_valid(span_of(wide, 200)));
	assert_false(service_name_is_valid(span_of(wide, 201)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_service_offers_here_take_turns),
		cmocka_unit_test(test_service_offers_abroad_are_of_a_node),
		cmocka_unit_test(test_service_of_a_method_is_looked_for_again_after_a_change),
		cmocka_unit_test(test_service_names_are_dotted_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
