/* Names, ORCID iDs, keys and entries: the forms that are kept, and how one is laid over another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "entry.h"
#include "expert_key.h"
#include "grow.h"
#include "name.h"
#include "orcid.h"

typedef Lyceum__Experts__V1__Expert expert_msg;

static void test_orcid_reads_the_usual_forms(void **state)
{
	static const char *const forms[] = {
		"0000-0002-1825-0097",        "https://orcid.org/0000-0002-1825-0097",
		"orcid.org/0000000218250097", " http://www.orcid.org/0000-0002-1825-0097/ ",
		"0000 0002 1825 0097",
	};
	char orcid[ORCID_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		assert_int_equal(orcid_read(forms[i], orcid), ORCID_OK);
		assert_string_equal(orcid, "0000-0002-1825-0097");
	}
	assert_int_equal(orcid_read("0000-0002-9079-593x", orcid), ORCID_OK);
	assert_string_equal(orcid, "0000-0002-9079-593X");
}

static void test_orcid_refuses_every_single_wrong_digit(void **state)
{
	char orcid[ORCID_SIZE];

	(void)state;
	for (size_t i = 0; i < 19; i++) {
		char text[] = "0000-0002-1825-0097";
		if (text[i] == '-')
			continue;
		for (char digit = '0'; digit <= '9'; digit++) {
			bool is_right = digit == "0000-0002-1825-0097"[i];
			text[i] = digit;
			assert_int_equal(orcid_read(text, orcid),
					 is_right ? ORCID_OK : ORCID_CHECK);
		}
	}
	assert_int_equal(orcid_read("0000-0002-1825-009", orcid), ORCID_SHAPE);
	assert_int_equal(orcid_read("0000-0002-1825-00977", orcid), ORCID_SHAPE);
	assert_int_equal(orcid_read("0000-0X02-1825-0097", orcid), ORCID_SHAPE);
	assert_int_equal(orcid_read("", orcid), ORCID_SHAPE);
}

static void test_name_has_one_form(void **state)
{
	static const char *const names[][4] = {
		{"Okafor, Ada", "Ada Okafor", "Okafor", "Ada"},
		{"  Ada   Okafor ", "Ada Okafor", "Okafor", "Ada"},
		{"Prof. Dr Ada Okafor", "Ada Okafor", "Okafor", "Ada"},
		{"Okafor, Dr Ada", "Ada Okafor", "Okafor", "Ada"},
		{"Ada Okafor, PhD, FRS", "Ada Okafor", "Okafor", "Ada"},
		{"Ludwig van der Berg", "Ludwig van der Berg", "van der Berg", "Ludwig"},
		{"Peter M Harman", "Peter M Harman", "Harman", "Peter M"},
		{"Plato", "Plato", "", ""},
	};
	struct name name;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		name_arrange(names[i][0], "", "", &name);
		assert_string_equal(name.display, names[i][1]);
		assert_string_equal(name.family, names[i][2]);
		assert_string_equal(name.given, names[i][3]);
	}
	name_arrange("", "Okafor", "Ada", &name);
	assert_string_equal(name.display, "Ada Okafor");
}

static void test_name_tells_placeholders_from_people(void **state)
{
	(void)state;
	assert_true(name_is_placeholder("Unknown Unknown Unknown"));
	assert_true(name_is_placeholder("N/A"));
	assert_true(name_is_placeholder("TBC"));
	assert_true(name_is_placeholder(""));
	assert_false(name_is_placeholder("Ann Unknown"));
	assert_false(name_is_placeholder("Ada Okafor"));
}

static void test_key_survives_awkward_ids(void **state)
{
	static const struct {
		const char *token;
		const char *id;
	} cases[] = {{"6BAA32D3-0592", "6BAA32D3-0592"},
		     {"a%2Eb", "a.b"},
		     {"100%25", "100%"},
		     {"x%20%3e%20%2Ay", "x > *y"},
		     {"\xc3\xa9", "\xc3\xa9"}};
	char subject[200], home[EXPERT_KEY_MAX_HOME], id[EXPERT_KEY_MAX_ID];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(subject, sizeof(subject), EXPERT_KEY_PREFIX "wales.%s", cases[i].token);
		assert_true(expert_key_read(subject, home, id));
		assert_string_equal(home, "wales");
		assert_string_equal(id, cases[i].id);
	}
	assert_false(expert_key_read("lyceum.experts.v1.Expert.wales", home, id));
	assert_false(expert_key_read("lyceum.experts.v1.Expert.wales.%4", home, id));
	assert_false(expert_key_read("lyceum.echo.v1.Note.wales.x", home, id));
}

/* An entry with the fields that most lists have. The caller frees. */
static expert_msg *make(const char *id, const char *name, const char *organisation,
			const char *region, const char *ref, const char *title)
{
	expert_msg expert = LYCEUM__EXPERTS__V1__EXPERT__INIT;
	Lyceum__Experts__V1__PersonName person = LYCEUM__EXPERTS__V1__PERSON_NAME__INIT;
	Lyceum__Experts__V1__Organisation at = LYCEUM__EXPERTS__V1__ORGANISATION__INIT;
	Lyceum__Experts__V1__Evidence evidence = LYCEUM__EXPERTS__V1__EVIDENCE__INIT;
	Lyceum__Experts__V1__Evidence *list = &evidence;

	expert.id = (char *)(uintptr_t)id;
	person.display = (char *)(uintptr_t)name;
	at.organisation_name = (char *)(uintptr_t)organisation;
	expert.region = (char *)(uintptr_t)region;
	evidence.ref = (char *)(uintptr_t)ref;
	evidence.title = (char *)(uintptr_t)title;
	expert.name = &person;
	expert.organisation = &at;
	expert.evidence = &list;
	expert.n_evidence = 1;
	return entry_copy(&expert);
}

static void drop(expert_msg *expert)
{
	lyceum__experts__v1__expert__free_unpacked(expert, NULL);
}

static void test_entry_is_brought_into_one_form(void **state)
{
	expert_msg *expert =
		make("", "Okafor,  Ada", " Cardiff  University", "cymru", "", "A title");
	expert_msg *again =
		make("", "Dr Ada OKAFOR", "cardiff university", "Unknown", "", "A title");
	char note[ENTRY_NOTE_SIZE];
	struct lyc_error error;

	(void)state;
	assert_int_equal(entry_normalise(expert, "wales", note, &error), LYC_OK);
	assert_string_equal(note, "");
	assert_string_equal(expert->home, "wales");
	assert_string_equal(expert->name->display, "Ada Okafor");
	assert_string_equal(expert->organisation->organisation_name, "Cardiff University");
	assert_string_equal(expert->region, "Wales");
	assert_int_equal(expert->evidence[0]->kind, LYCEUM__EXPERTS__V1__EVIDENCE__KIND__WORK);
	assert_int_equal(entry_normalise(again, "wales", note, &error), LYC_OK);
	assert_string_equal(note, "the region \"Unknown\" is left out");
	assert_string_equal(again->region, "");
	/* The same person by name and organisation, and the same work. */
	assert_string_equal(again->id, expert->id);
	assert_string_equal(again->evidence[0]->ref, expert->evidence[0]->ref);
	drop(expert);
	drop(again);
}

static void test_entry_is_refused_with_its_field(void **state)
{
	char note[ENTRY_NOTE_SIZE];
	struct lyc_error error;
	expert_msg *expert = make("1", "Unknown Unknown Unknown", "", "", "r", "t");

	(void)state;
	assert_int_equal(entry_normalise(expert, "wales", note, &error), LYC_INVALID_ARGUMENT);
	assert_string_equal(error.field, "name.display");
	drop(expert);

	expert = make("1", "Ada Okafor", "", "", "r", "t");
	expert->orcid = grow_copy("0000-0002-1825-0098", 19);
	assert_int_equal(entry_normalise(expert, "wales", note, &error), LYC_INVALID_ARGUMENT);
	assert_string_equal(error.field, "orcid");
	drop(expert);

	expert = make("1", "Ada Okafor", "", "", "r", "t");
	expert->home = grow_copy("nhsa", 4);
	assert_int_equal(entry_normalise(expert, "wales", note, &error), LYC_FAILED_PRECONDITION);
	assert_non_null(strstr(error.text, "nhsa"));
	drop(expert);

	expert = make("", "", "Cardiff University", "", "r", "t");
	assert_int_equal(entry_normalise(expert, "wales", note, &error), LYC_INVALID_ARGUMENT);
	assert_string_equal(error.field, "name.display");
	drop(expert);
}

static expert_msg *lay(const expert_msg *held, expert_msg *entry)
{
	char note[ENTRY_NOTE_SIZE];
	struct lyc_error error;
	expert_msg *merged = NULL;

	assert_int_equal(entry_normalise(entry, "wales", note, &error), LYC_OK);
	assert_int_equal(entry_merge(held, entry, &merged, &error), LYC_OK);
	drop(entry);
	return merged;
}

static void test_entry_rows_of_one_person_make_one_record(void **state)
{
	expert_msg *one =
		lay(NULL, make("1", "Ada Okafor", "Cardiff University", "Wales", "G1", "One"));
	expert_msg *two =
		lay(one, make("1", "Ada Okafor", "Cardiff University", "Wales", "G2", "Two"));

	(void)state;
	assert_int_equal(two->n_evidence, 2);
	assert_int_equal(two->label->visibility, LYCEUM__V1__VISIBILITY__MEMBERS);
	assert_string_equal(two->label->home, "wales");
	/* The same rows once more change nothing. */
	expert_msg *three = lay(two, make("1", "Okafor, Ada", "", "", "G1", "One"));
	assert_true(entry_is_equal(two, three));
	expert_msg *four = lay(three, make("1", "Ada Okafor", "", "", "G2", "Two, corrected"));
	assert_int_equal(four->n_evidence, 2);
	assert_string_equal(four->evidence[1]->title, "Two, corrected");
	assert_string_equal(four->region, "Wales");
	drop(one);
	drop(two);
	drop(three);
	drop(four);
}

static void test_entry_keeps_what_is_private_private(void **state)
{
	expert_msg *entry = make("1", "Ada Okafor", "", "", "G1", "One");
	entry->label = grow_new(1, sizeof(*entry->label));
	lyceum__v1__label__init(entry->label);
	entry->label->visibility = LYCEUM__V1__VISIBILITY__PRIVATE;
	expert_msg *one = lay(NULL, entry);
	expert_msg *two = lay(one, make("1", "Ada Okafor", "", "", "G2", "Two"));

	(void)state;
	assert_int_equal(two->label->visibility, LYCEUM__V1__VISIBILITY__PRIVATE);
	drop(one);
	drop(two);
}

static void test_entry_keeps_the_held_spelling_where_only_the_case_differs(void **state)
{
	expert_msg *one = lay(NULL, make("1", "Ada Okafor", "", "", "G1", "One"));
	expert_msg *two = lay(one, make("1", "okafor, ADA", "", "", "G1", "One"));
	expert_msg *three = lay(two, make("1", "Ada B Okafor", "", "", "G1", "One"));

	(void)state;
	assert_true(entry_is_equal(one, two));
	assert_string_equal(three->name->display, "Ada B Okafor");
	drop(one);
	drop(two);
	drop(three);
}

static void test_entry_asks_about_a_region_that_is_nearly_one(void **state)
{
	static const char *const regions[][2] = {{"Walse", "Wales"}, {"Bavaria", NULL}};
	char note[ENTRY_NOTE_SIZE];
	struct lyc_error error;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		expert_msg *expert = make("1", "Ada Okafor", "", regions[i][0], "G1", "One");
		assert_int_equal(entry_normalise(expert, "wales", note, &error), LYC_OK);
		assert_string_equal(expert->region, regions[i][0]);
		if (regions[i][1])
			assert_non_null(strstr(note, regions[i][1]));
		else
			assert_string_equal(note, "");
		drop(expert);
	}
}

#define UNSAID LYCEUM__V1__VISIBILITY__VISIBILITY_UNSPECIFIED
#define PUBLIC LYCEUM__V1__VISIBILITY__PUBLIC
#define MEMBERS LYCEUM__V1__VISIBILITY__MEMBERS
#define AUDIENCE LYCEUM__V1__VISIBILITY__AUDIENCE
#define PRIVATE LYCEUM__V1__VISIBILITY__PRIVATE

/* Lay an entry with this label (and audience, which may be NULL) over what is held. */
static enum lyc_status label_entry(const expert_msg *held, Lyceum__V1__Visibility visibility,
				   const char *audience, expert_msg **ret_expert,
				   struct lyc_error *error)
{
	expert_msg *entry = make("1", "Ada Okafor", "", "", "G1", "One");
	char note[ENTRY_NOTE_SIZE];

	entry->label = grow_new(1, sizeof(*entry->label));
	lyceum__v1__label__init(entry->label);
	entry->label->visibility = visibility;
	if (audience) {
		entry->label->audience = grow_new(1, sizeof(char *));
		entry->label->audience[entry->label->n_audience++] =
			grow_copy(audience, strlen(audience));
	}
	assert_int_equal(entry_normalise(entry, "wales", note, error), LYC_OK);
	enum lyc_status status = entry_merge(held, entry, ret_expert, error);
	drop(entry);
	return status;
}

static void test_entry_with_an_audience_is_for_that_audience(void **state)
{
	static const Lyceum__V1__Visibility helds[] = {UNSAID, MEMBERS, AUDIENCE, PRIVATE};
	struct lyc_error error;
	expert_msg *merged;

	(void)state;
	for (size_t i = 0; i < sizeof(helds) / sizeof(helds[0]); i++) {
		expert_msg *held = NULL;
		if (helds[i] != UNSAID)
			assert_int_equal(label_entry(NULL, helds[i],
						     helds[i] == AUDIENCE ? "medcity" : NULL, &held,
						     &error),
					 LYC_OK);
		assert_int_equal(label_entry(held, UNSAID, "nhsa", &merged, &error), LYC_OK);
		assert_int_equal(merged->label->visibility, AUDIENCE);
		assert_int_equal(merged->label->n_audience, 1);
		assert_string_equal(merged->label->audience[0], "nhsa");
		drop(merged);
		drop(held);
	}
}

static void test_entry_refuses_an_audience_beside_another_visibility(void **state)
{
	static const Lyceum__V1__Visibility wrong[] = {PUBLIC, MEMBERS, PRIVATE};
	struct lyc_error error;
	expert_msg *merged;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(label_entry(NULL, wrong[i], "nhsa", &merged, &error),
				 LYC_INVALID_ARGUMENT);
		assert_string_equal(error.field, "label.audience");
	}
	assert_int_equal(label_entry(NULL, AUDIENCE, NULL, &merged, &error), LYC_INVALID_ARGUMENT);
}

/* A label that says nothing of visibility keeps what is held; only a first one is for members. */
static void test_entry_is_seen_by_no_more_than_before_unless_said(void **state)
{
	static const Lyceum__V1__Visibility helds[] = {PUBLIC, MEMBERS, AUDIENCE, PRIVATE};
	struct lyc_error error;
	expert_msg *held, *merged;

	(void)state;
	for (size_t i = 0; i < sizeof(helds) / sizeof(helds[0]); i++) {
		const char *audience = helds[i] == AUDIENCE ? "nhsa" : NULL;
		assert_int_equal(label_entry(NULL, helds[i], audience, &held, &error), LYC_OK);
		assert_int_equal(label_entry(held, UNSAID, NULL, &merged, &error), LYC_OK);
		assert_true(entry_is_equal(held, merged));
		drop(merged);
		/* Said anew as it is held: the audience stays. */
		assert_int_equal(label_entry(held, helds[i], NULL, &merged, &error), LYC_OK);
		assert_true(entry_is_equal(held, merged));
		drop(merged);
		/* Opened, since it is said. */
		assert_int_equal(label_entry(held, MEMBERS, NULL, &merged, &error), LYC_OK);
		assert_int_equal(merged->label->visibility, MEMBERS);
		assert_int_equal(merged->label->n_audience, 0);
		drop(merged);
		drop(held);
	}
	assert_int_equal(label_entry(NULL, UNSAID, NULL, &merged, &error), LYC_OK);
	assert_int_equal(merged->label->visibility, MEMBERS);
	drop(merged);
}

/* Lay an address over what is held; UNSAID: without a label of its own. */
static expert_msg *lay_contact(const expert_msg *held, const char *email,
			       Lyceum__V1__Visibility visibility)
{
	expert_msg *entry = make("1", "Ada Okafor", "", "", "G1", "One");

	entry->contact = grow_new(1, sizeof(*entry->contact));
	lyceum__experts__v1__contact__init(entry->contact);
	if (email)
		entry->contact->email = grow_copy(email, strlen(email));
	if (visibility != UNSAID) {
		entry->contact->label = grow_new(1, sizeof(*entry->contact->label));
		lyceum__v1__label__init(entry->contact->label);
		entry->contact->label->visibility = visibility;
	}
	return lay(held, entry);
}

static void test_entry_address_stays_home_unless_said(void **state)
{
	expert_msg *one = lay_contact(NULL, "ada@example.org", UNSAID);

	(void)state;
	assert_int_equal(one->label->visibility, MEMBERS);
	assert_int_equal(one->contact->label->visibility, PRIVATE);
	assert_string_equal(one->contact->label->home, "wales");
	/* The same once more changes nothing, nor does an entry that says nothing of it. */
	expert_msg *two = lay_contact(one, "ada@example.org", UNSAID);
	assert_true(entry_is_equal(one, two));
	expert_msg *three = lay(two, make("1", "Ada Okafor", "", "", "G1", "One"));
	assert_true(entry_is_equal(one, three));
	/* Opened by saying so, even without the address; a new address keeps what was said. */
	expert_msg *four = lay_contact(three, NULL, MEMBERS);
	assert_int_equal(four->contact->label->visibility, MEMBERS);
	assert_string_equal(four->contact->email, "ada@example.org");
	expert_msg *five = lay_contact(four, "ada@example.com", UNSAID);
	assert_int_equal(five->contact->label->visibility, MEMBERS);
	assert_string_equal(five->contact->email, "ada@example.com");
	/* Nobody to reach: no contact, whatever its label says. */
	expert_msg *six = lay_contact(NULL, NULL, MEMBERS);
	assert_null(six->contact);
	expert_msg *all[] = {one, two, three, four, five, six};
	for (size_t i = 0; i < 6; i++)
		drop(all[i]);
}

/* Of records written before contacts had a label: private once the person is entered again. */
static void test_entry_address_held_without_a_label_becomes_private(void **state)
{
	expert_msg *held = lay_contact(NULL, "ada@example.org", MEMBERS);

	(void)state;
	lyceum__v1__label__free_unpacked(held->contact->label, NULL);
	held->contact->label = NULL;
	expert_msg *again = lay(held, make("1", "Ada Okafor", "", "", "G1", "One"));
	assert_int_equal(again->contact->label->visibility, PRIVATE);
	assert_string_equal(again->contact->email, "ada@example.org");
	expert_msg *twice = lay(again, make("1", "Ada Okafor", "", "", "G1", "One"));
	assert_true(entry_is_equal(again, twice));
	drop(held);
	drop(again);
	drop(twice);
}

static void test_entry_refuses_an_audience_for_an_open_address(void **state)
{
	expert_msg *entry = make("1", "Ada Okafor", "", "", "G1", "One");
	struct lyc_error error;
	expert_msg *merged;

	(void)state;
	expert_msg *held = lay_contact(NULL, "ada@example.org", PUBLIC);
	entry->contact = grow_new(1, sizeof(*entry->contact));
	lyceum__experts__v1__contact__init(entry->contact);
	entry->contact->label = grow_new(1, sizeof(*entry->contact->label));
	lyceum__v1__label__init(entry->contact->label);
	entry->contact->label->visibility = AUDIENCE;
	assert_int_equal(entry_merge(held, entry, &merged, &error), LYC_INVALID_ARGUMENT);
	assert_string_equal(error.field, "contact.label.audience");
	drop(entry);
	drop(held);
}

static void test_entry_writes_language_tags_as_usual(void **state)
{
	expert_msg *entry = make("1", "Ada Okafor", "", "", "G1", "One");
	entry->language = grow_new(3, sizeof(char *));
	entry->language[0] = grow_copy("EN-gb", 5);
	entry->language[1] = grow_copy("zh-hant", 7);
	entry->language[2] = grow_copy("en-GB", 5);
	entry->n_language = 3;
	expert_msg *merged = lay(NULL, entry);

	(void)state;
	assert_int_equal(merged->n_language, 2);
	assert_string_equal(merged->language[0], "en-GB");
	assert_string_equal(merged->language[1], "zh-Hant");
	drop(merged);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orcid_reads_the_usual_forms),
		cmocka_unit_test(test_orcid_refuses_every_single_wrong_digit),
		cmocka_unit_test(test_name_has_one_form),
		cmocka_unit_test(test_name_tells_placeholders_from_people),
		cmocka_unit_test(test_key_survives_awkward_ids),
		cmocka_unit_test(test_entry_is_brought_into_one_form),
		cmocka_unit_test(test_entry_is_refused_with_its_field),
		cmocka_unit_test(test_entry_rows_of_one_person_make_one_record),
		cmocka_unit_test(test_entry_keeps_what_is_private_private),
		cmocka_unit_test(test_entry_keeps_the_held_spelling_where_only_the_case_differs),
		cmocka_unit_test(test_entry_asks_about_a_region_that_is_nearly_one),
		cmocka_unit_test(test_entry_with_an_audience_is_for_that_audience),
		cmocka_unit_test(test_entry_refuses_an_audience_beside_another_visibility),
		cmocka_unit_test(test_entry_is_seen_by_no_more_than_before_unless_said),
		cmocka_unit_test(test_entry_address_stays_home_unless_said),
		cmocka_unit_test(test_entry_address_held_without_a_label_becomes_private),
		cmocka_unit_test(test_entry_refuses_an_audience_for_an_open_address),
		cmocka_unit_test(test_entry_writes_language_tags_as_usual),
	};
	return cmocka_run_group_tests_name("entry", tests, NULL, NULL);
}
