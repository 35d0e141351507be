/* The examples of RFC 5545 3.8.5.3, what is refused and why, and that every rule comes to an end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recurrence.h"
#include "wall.h"

static struct recurrence_rule rule_of(const char *text)
{
	struct recurrence_rule rule;
	struct lyc_error error;
	if (recurrence_parse(text, &rule, &error))
		fail_msg("%s: %s", text, error.text);
	return rule;
}

static int64_t at(const char *text)
{
	int64_t time = 0;
	bool is_date;
	bool is_utc;
	if (!wall_read(text, &time, &is_date, &is_utc))
		fail_msg("'%s' is no time", text);
	return time;
}

static struct recurrence set_of(const char *start, const struct recurrence_rule *rule)
{
	return (struct recurrence){.start = at(start),
				   .is_date = strchr(start, 'T') == NULL,
				   .rules = rule,
				   .rule_count = 1};
}

/* The first starts as one line; "." behind the last of all. */
static void list_text(const struct recurrence *set, size_t max, char *to, size_t size)
{
	int64_t *starts = NULL;
	size_t count = 0;
	size_t len = 0;
	bool has_more = false;
	assert_int_equal(recurrence_list(set, WALL_MIN, WALL_MAX, max, &starts, &count, &has_more),
			 LYC_OK);
	to[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		char text[WALL_SIZE];
		wall_write(starts[i], set->is_date, text);
		len += (size_t)snprintf(to + len, size - len, "%s%s", i ? " " : "", text);
	}
	if (!has_more)
		snprintf(to + len, size - len, ".");
	free(starts);
}

/* Dates as the RFC prints them, at nine o'clock where no time stands. */
static const struct example {
	const char *start;
	const char *rule;
	const char *starts;
} examples[] = {
	{"19970902T090000", "FREQ=DAILY;COUNT=10",
	 "0902 0903 0904 0905 0906 0907 0908 0909 0910 0911."},
	{"19970902T090000", "FREQ=DAILY;INTERVAL=2", "0902 0904 0906 0908 0910 0912"},
	{"19970902T090000", "FREQ=DAILY;INTERVAL=10;COUNT=5", "0902 0912 0922 1002 1012."},
	{"19980101T090000",
	 "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA",
	 "0101 0102 0103 0104"},
	{"19980101T090000", "FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1", "0101 0102 0103 0104"},
	{"19970902T090000", "FREQ=WEEKLY;COUNT=10",
	 "0902 0909 0916 0923 0930 1007 1014 1021 1028 1104."},
	{"19970902T090000", "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
	 "0902 0916 0930 1014 1028 1111 1125 1209 1223 19980106 19980120 19980203"},
	{"19970902T090000", "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
	 "0902 0904 0909 0911 0916 0918 0923 0925 0930 1002."},
	{"19970902T090000", "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH",
	 "0902 0904 0909 0911 0916 0918 0923 0925 0930 1002."},
	{"19970901T090000", "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
	 "0901 0903 0905 0915 0917 0919 0929 1001 1003 1013 1015 1017 1027 1029 1031 1110 1112 "
	 "1114 "
	 "1124 1126 1128 1208 1210 1212 1222."},
	{"19970902T090000", "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
	 "0902 0904 0916 0918 0930 1002 1014 1016."},
	{"19970905T090000", "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
	 "0905 1003 1107 1205 19980102 19980206 19980306 19980403 19980501 19980605."},
	{"19970905T090000", "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR",
	 "0905 1003 1107 1205."},
	{"19970907T090000", "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
	 "0907 0928 1102 1130 19980104 19980125 19980301 19980329 19980503 19980531."},
	{"19970922T090000", "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
	 "0922 1020 1117 1222 19980119 19980216."},
	{"19970928T090000", "FREQ=MONTHLY;BYMONTHDAY=-3", "0928 1029 1128 1229 19980129 19980226"},
	{"19970902T090000", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
	 "0902 0915 1002 1015 1102 1115 1202 1215 19980102 19980115."},
	{"19970930T090000", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
	 "0930 1001 1031 1101 1130 1201 1231 19980101 19980131 19980201."},
	{"19970910T090000", "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
	 "0910 0911 0912 0913 0914 0915 19990310 19990311 19990312 19990313."},
	{"19970902T090000", "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
	 "0902 0909 0916 0923 0930 1104 1111 1118 1125 19980106 19980113 19980120 19980127 "
	 "19980303"},
	{"19970610T090000", "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
	 "0610 0710 19980610 19980710 19990610 19990710 20000610 20000710 20010610 20010710."},
	{"19970310T090000", "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
	 "0310 19990110 19990210 19990310 20010110 20010210 20010310 20030110 20030210 20030310."},
	{"19970101T090000", "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
	 "0101 0410 0719 20000101 20000409 20000718 20030101 20030410 20030719 20060101."},
	{"19970519T090000", "FREQ=YEARLY;BYDAY=20MO", "0519 19980518 19990517"},
	{"19970512T090000", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "0512 19980511 19990517"},
	{"19970313T090000", "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
	 "0313 0320 0327 19980305 19980312 19980319 19980326 19990304 19990311 19990318 19990325"},
	{"19970605T090000", "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8",
	 "0605 0612 0619 0626 0703 0710 0717 0724 0731 0807 0814 0821 0828 19980604"},
	{"19970902T090000", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
	 "19980213 19980313 19981113 19990813 20001013"},
	{"19970913T090000", "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
	 "0913 1011 1108 1213 19980110 19980207 19980307 19980411 19980509 19980613"},
	{"19961105T090000", "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
	 "1105 20001107 20041102"},
	{"19970904T090000", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "0904 1007 1106."},
	{"19970929T090000", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
	 "0929 1030 1127 1230 19980129 19980226 19980330"},
	{"19970902T090000", "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000Z",
	 "0902 0902T120000 0902T150000."},
	{"19970902T090000", "FREQ=MINUTELY;INTERVAL=15;COUNT=6",
	 "0902 0902T091500 0902T093000 0902T094500 0902T100000 0902T101500."},
	{"19970902T090000", "FREQ=MINUTELY;INTERVAL=90;COUNT=4",
	 "0902 0902T103000 0902T120000 0902T133000."},
	{"19970902T090000", "FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40",
	 "0902 0902T092000 0902T094000 0902T100000"},
	{"19970902T090000", "FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16",
	 "0902 0902T092000 0902T094000 0902T100000"},
	{"19970805T090000", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
	 "0805 0810 0819 0824."},
	{"19970805T090000", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
	 "0805 0817 0819 0831."},
	{"20070115T090000", "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "0115 0130 0215 0315 0330."},
	/* Not the RFC's: leap days, the end of February, whole days. */
	{"20240229", "FREQ=YEARLY", "0229 20280229 20320229"},
	{"20240131", "FREQ=MONTHLY;COUNT=4", "0131 0331 0531 0731."},
	{"18960229T090000", "FREQ=YEARLY;COUNT=3", "0229 19040229 19080229."},
};

/* A word of `starts` in full. */
static void full_time(const struct example *example, const char *word, char to[WALL_SIZE])
{
	size_t days = strcspn(word, "T");
	snprintf(to, WALL_SIZE, "%.*s%.15s%s", days == 4 ? 4 : 0, example->start, word,
		 word[days] || !strchr(example->start, 'T') ? "" : "T090000");
}

static void test_recurrence_gives_the_examples_of_the_rfc(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		struct recurrence_rule rule = rule_of(examples[i].rule);
		struct recurrence set = set_of(examples[i].start, &rule);
		char words[1024];
		char wanted[2048] = "";
		char given[2048];
		char *rest = NULL;
		size_t count = 0;
		bool is_all = strchr(examples[i].starts, '.') != NULL;
		snprintf(words, sizeof(words), "%s", examples[i].starts);
		words[strcspn(words, ".")] = '\0';
		for (char *word = strtok_r(words, " ", &rest); word;
		     word = strtok_r(NULL, " ", &rest), count++) {
			char text[WALL_SIZE];
			full_time(&examples[i], word, text);
			strcat(wanted, count ? " " : "");
			strcat(wanted, text);
		}
		strcat(wanted, is_all ? "." : "");
		list_text(&set, count, given, sizeof(given));
		if (strcmp(given, wanted) != 0)
			fail_msg("%s from %s\n gives %s\n not   %s", examples[i].rule,
				 examples[i].start, given, wanted);
	}
}

static void test_recurrence_keeps_added_and_leaves_out_removed(void **state)
{
	struct recurrence_rule rule = rule_of("FREQ=DAILY;COUNT=4");
	struct recurrence set = set_of("20260101T090000", &rule);
	const int64_t added[] = {at("20260301T120000"), at("20260102T090000"),
				 at("20260201T120000")};
	const int64_t removed[] = {at("20260201T120000"), at("20260103T090000"),
				   at("20270101T000000")};
	char given[256];
	(void)state;
	set.added = added;
	set.added_count = 3;
	set.removed = removed;
	set.removed_count = 3;
	list_text(&set, 20, given, sizeof(given));
	assert_string_equal(given,
			    "20260101T090000 20260102T090000 20260104T090000 20260301T120000.");
	/* Without a rule the start stands for itself. */
	set.rule_count = 0;
	list_text(&set, 20, given, sizeof(given));
	assert_string_equal(given, "20260101T090000 20260102T090000 20260301T120000.");
}

static void test_recurrence_merges_rules_and_gives_each_start_once(void **state)
{
	struct recurrence_rule rules[2] = {rule_of("FREQ=WEEKLY;COUNT=3"),
					   rule_of("FREQ=DAILY;INTERVAL=14;COUNT=3")};
	struct recurrence set = set_of("20260105", rules);
	char given[256];
	(void)state;
	set.rule_count = 2;
	list_text(&set, 20, given, sizeof(given));
	assert_string_equal(given, "20260105 20260112 20260119 20260202.");
}

static void test_recurrence_lists_a_window_and_says_when_there_is_more(void **state)
{
	struct recurrence_rule rule = rule_of("FREQ=WEEKLY;BYDAY=MO,TH");
	struct recurrence set = set_of("20200102T100000", &rule);
	int64_t *starts = NULL;
	size_t count = 0;
	bool has_more = false;
	int64_t next = 0;
	(void)state;
	assert_int_equal(recurrence_list(&set, at("20260601"), at("20260615"), 10, &starts, &count,
					 &has_more),
			 LYC_OK);
	assert_int_equal(count, 4);
	assert_false(has_more);
	assert_int_equal(starts[0], at("20260601T100000"));
	assert_int_equal(starts[3], at("20260611T100000"));
	free(starts);
	assert_int_equal(recurrence_list(&set, at("20260601"), at("20260615"), 3, &starts, &count,
					 &has_more),
			 LYC_OK);
	assert_int_equal(count, 3);
	assert_true(has_more);
	free(starts);
	starts = NULL;
	assert_int_equal(recurrence_list(&set, at("20260601T100001"), at("20260604T100000"), 3,
					 &starts, &count, &has_more),
			 LYC_OK);
	assert_int_equal(count, 0);
	assert_null(starts);
	assert_int_equal(recurrence_next(&set, at("20260602"), &next), LYC_OK);
	assert_int_equal(next, at("20260604T100000"));
}

static void test_recurrence_counts_what_lies_before_the_window(void **state)
{
	struct recurrence_rule rule = rule_of("FREQ=DAILY;COUNT=10");
	struct recurrence set = set_of("20260101T090000", &rule);
	int64_t next = 0;
	(void)state;
	assert_int_equal(recurrence_next(&set, at("20260110"), &next), LYC_OK);
	assert_int_equal(next, at("20260110T090000"));
	assert_int_equal(recurrence_next(&set, at("20260111"), &next), LYC_NOT_FOUND);
	/* Farther than the calendar takes to repeat. */
	rule = rule_of("FREQ=DAILY;COUNT=300000");
	assert_int_equal(recurrence_next(&set, at("27000101"), &next), LYC_OK);
	assert_int_equal(next, at("27000101T090000"));
	rule = rule_of("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=TU;INTERVAL=28");
	assert_int_equal(recurrence_next(&set, at("27000101"), &next), LYC_NOT_FOUND);
	rule = rule_of("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=TU;INTERVAL=6");
	assert_int_equal(recurrence_next(&set, at("27000101"), &next), LYC_OK);
	assert_int_equal(next, at("27160229T090000"));
}

static void test_recurrence_knows_whether_the_start_belongs(void **state)
{
	struct recurrence_rule rule = rule_of("FREQ=WEEKLY;BYDAY=MO");
	struct recurrence set = set_of("20260105", &rule);
	(void)state;
	assert_true(recurrence_has_start(&set));
	set.start = at("20260106");
	assert_false(recurrence_has_start(&set));
	set.rule_count = 0;
	assert_true(recurrence_has_start(&set));
}

/* Each would be looked for until the end of time. */
static const char *const never[] = {
	"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
	"FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30,31",
	"FREQ=DAILY;BYMONTH=4;BYMONTHDAY=31",
	"FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=30",
	"FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
	"FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30",
	"FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
	"FREQ=YEARLY;BYWEEKNO=20;BYMONTH=1",
	"FREQ=YEARLY;BYYEARDAY=1;BYMONTH=12",
	"FREQ=YEARLY;BYMONTH=1;BYDAY=53MO",
	"FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
	"FREQ=DAILY;BYHOUR=9;BYSETPOS=2",
	"FREQ=MONTHLY;INTERVAL=12;BYMONTH=2",
	"FREQ=YEARLY;INTERVAL=2147483647;BYMONTH=2;BYMONTHDAY=1",
	"FREQ=SECONDLY;INTERVAL=2147483647;BYMONTH=2;BYMONTHDAY=30",
	"FREQ=SECONDLY;INTERVAL=2;BYSECOND=1",
	"FREQ=SECONDLY;INTERVAL=22;BYSECOND=51;BYHOUR=3",
	"FREQ=MINUTELY;INTERVAL=1440;BYHOUR=8",
	"FREQ=HOURLY;INTERVAL=36;BYHOUR=10",
	"FREQ=SECONDLY;BYSECOND=1;INTERVAL=1000000000;BYMONTHDAY=1;BYMONTH=1",
};

static void test_recurrence_ends_when_nothing_ever_comes(void **state)
{
	int64_t next = 0;
	(void)state;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		struct recurrence_rule rule = rule_of(never[i]);
		struct recurrence set = set_of("20260301T090000", &rule);
		enum lyc_status status = recurrence_next(&set, set.start, &next);
		if (status != LYC_NOT_FOUND)
			fail_msg("%s: status %d", never[i], status);
	}
}

static void test_recurrence_says_when_it_gives_up(void **state)
{
	struct recurrence_rule rule = rule_of("FREQ=SECONDLY;COUNT=2000000000");
	struct recurrence set = set_of("20260301T090000", &rule);
	int64_t next = 0;
	(void)state;
	assert_int_equal(recurrence_next(&set, at("20800101"), &next), LYC_RESOURCE_EXHAUSTED);
	set.start = WALL_MAX + 1;
	assert_int_equal(recurrence_next(&set, 0, &next), LYC_OUT_OF_RANGE);
}

static void test_recurrence_takes_huge_sets_by_arithmetic(void **state)
{
	/* 31 million seconds a year, of which the first and the last are wanted. */
	struct recurrence_rule rule =
		rule_of("FREQ=YEARLY;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;BYDAY=MO,TU,WE,TH,FR,SA,SU;"
			"BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23;"
			"BYMINUTE=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,"
			"25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,"
			"49,50,51,52,53,54,55,56,57,58,59;BYSETPOS=1,-1;COUNT=4");
	struct recurrence set = set_of("20260101T000000", &rule);
	char given[256];
	(void)state;
	list_text(&set, 10, given, sizeof(given));
	assert_string_equal(given,
			    "20260101T000000 20261231T235900 20270101T000000 20271231T235900.");
}

static const struct zone *zone_of(struct zones *zones, const char *name)
{
	const struct zone *zone = NULL;
	struct lyc_error error;
	if (zones_find(zones, name, &zone, &error))
		fail_msg("%s", error.text);
	return zone;
}

/* The RFC's examples are in New York: an UNTIL in UTC is five hours ahead of the wall there. */
static void test_recurrence_compares_until_in_the_zone(void **state)
{
	struct zones *zones = zones_new(NULL);
	struct recurrence_rule rule = rule_of("FREQ=DAILY;UNTIL=20070314T130000Z");
	struct recurrence set = set_of("20070309T090000", &rule);
	char given[256];
	(void)state;
	set.zone = zone_of(zones, "America/New_York");
	list_text(&set, 10, given, sizeof(given));
	/* Nine o'clock is 14:00 UTC until 10 March, 13:00 from the 11th on. */
	assert_string_equal(given, "20070309T090000 20070310T090000 20070311T090000 "
				   "20070312T090000 20070313T090000 20070314T090000.");
	rule = rule_of("FREQ=DAILY;UNTIL=20070310T130000Z");
	list_text(&set, 10, given, sizeof(given));
	assert_string_equal(given, "20070309T090000.");
	zones_free(zones);
}

/* A weekly hour in London, as Tokyo and New York see it over both changes of the clock. */
static void test_recurrence_keeps_the_wall_time_over_summer_time(void **state)
{
	static const struct {
		const char *day;
		const char *utc;
		const char *tokyo;
		const char *new_york;
	} weeks[] = {
		{"20260304", "20260304T090000", "20260304T180000", "20260304T040000"},
		/* New York has changed, London has not. */
		{"20260311", "20260311T090000", "20260311T180000", "20260311T050000"},
		{"20260401", "20260401T080000", "20260401T170000", "20260401T040000"},
		{"20261021", "20261021T080000", "20261021T170000", "20261021T040000"},
		{"20261028", "20261028T090000", "20261028T180000", "20261028T050000"},
		{"20261104", "20261104T090000", "20261104T180000", "20261104T040000"},
	};
	struct zones *zones = zones_new(NULL);
	struct recurrence_rule rule = rule_of("FREQ=WEEKLY");
	struct recurrence set = set_of("20260304T090000", &rule);
	(void)state;
	set.zone = zone_of(zones, "Europe/London");
	for (size_t i = 0; i < sizeof(weeks) / sizeof(weeks[0]); i++) {
		int64_t next = 0;
		int64_t utc;
		assert_int_equal(recurrence_next(&set, at(weeks[i].day), &next), LYC_OK);
		utc = zone_to_utc(set.zone, next, NULL);
		assert_int_equal(utc, at(weeks[i].utc));
		assert_int_equal(zone_to_wall(zone_of(zones, "Asia/Tokyo"), utc),
				 at(weeks[i].tokyo));
		assert_int_equal(zone_to_wall(zone_of(zones, "America/New_York"), utc),
				 at(weeks[i].new_york));
	}
	zones_free(zones);
}

static const struct refusal {
	const char *rule;
	enum lyc_status status;
	const char *word; /* that the sentence has */
} refusals[] = {
	{"", LYC_INVALID_ARGUMENT, "no FREQ"},
	{"COUNT=3", LYC_INVALID_ARGUMENT, "no FREQ"},
	{"FREQ=FORTNIGHTLY", LYC_INVALID_ARGUMENT, "FORTNIGHTLY"},
	{"FREQ=DAILY;FREQ=DAILY", LYC_INVALID_ARGUMENT, "FREQ twice"},
	{"FREQ=DAILY;COUNT=3;UNTIL=20260101", LYC_INVALID_ARGUMENT, "COUNT or by UNTIL"},
	{"FREQ=DAILY;COUNT=0", LYC_INVALID_ARGUMENT, "COUNT"},
	{"FREQ=DAILY;COUNT=99999999999", LYC_INVALID_ARGUMENT, "COUNT"},
	{"FREQ=DAILY;INTERVAL=0", LYC_INVALID_ARGUMENT, "INTERVAL"},
	{"FREQ=DAILY;INTERVAL=-1", LYC_INVALID_ARGUMENT, "INTERVAL"},
	{"FREQ=DAILY;INTERVAL=", LYC_INVALID_ARGUMENT, "INTERVAL"},
	{"FREQ=DAILY;UNTIL=20260230", LYC_INVALID_ARGUMENT, "20260230"},
	{"FREQ=DAILY;UNTIL=tomorrow", LYC_INVALID_ARGUMENT, "UNTIL"},
	{"FREQ=WEEKLY;BYDAY=XX", LYC_INVALID_ARGUMENT, "'XX'"},
	{"FREQ=MONTHLY;BYDAY=54MO", LYC_INVALID_ARGUMENT, "54MO"},
	{"FREQ=MONTHLY;BYDAY=0MO", LYC_INVALID_ARGUMENT, "0MO"},
	{"FREQ=MONTHLY;BYDAY=", LYC_INVALID_ARGUMENT, "BYDAY"},
	{"FREQ=MONTHLY;BYMONTHDAY=0", LYC_INVALID_ARGUMENT, "from 1 to 31"},
	{"FREQ=MONTHLY;BYMONTHDAY=-32", LYC_INVALID_ARGUMENT, "-32"},
	{"FREQ=MONTHLY;BYMONTHDAY=1,,2", LYC_INVALID_ARGUMENT, "BYMONTHDAY"},
	{"FREQ=YEARLY;BYMONTH=13", LYC_INVALID_ARGUMENT, "13"},
	{"FREQ=YEARLY;BYMONTH=-1", LYC_INVALID_ARGUMENT, "-1"},
	{"FREQ=DAILY;BYHOUR=24", LYC_INVALID_ARGUMENT, "24"},
	{"FREQ=DAILY;BYSECOND=61", LYC_INVALID_ARGUMENT, "61"},
	{"FREQ=YEARLY;BYSETPOS=367", LYC_INVALID_ARGUMENT, "367"},
	{"FREQ=YEARLY;BYEASTER=0", LYC_INVALID_ARGUMENT, "BYEASTER"},
	{"FREQ=WEEKLY;WKST=M", LYC_INVALID_ARGUMENT, "WKST"},
	{"FREQ=DAILY;;COUNT=1", LYC_INVALID_ARGUMENT, "parts"},
	{"weekly", LYC_INVALID_ARGUMENT, "'weekly'"},
	{"RSCALE=GREGORIAN;FREQ=YEARLY", LYC_UNIMPLEMENTED, "RSCALE"},
	{"FREQ=YEARLY;SKIP=FORWARD", LYC_UNIMPLEMENTED, "SKIP"},
};

static void test_recurrence_refuses_with_the_part_at_fault(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct recurrence_rule rule;
		struct lyc_error error = {0};
		enum lyc_status status = recurrence_parse(refusals[i].rule, &rule, &error);
		if (status != refusals[i].status || !strstr(error.text, refusals[i].word))
			fail_msg("'%s': %d, %s", refusals[i].rule, status, error.text);
	}
}

static void test_recurrence_check_names_what_the_rfc_forbids(void **state)
{
	static const struct refusal forbidden[] = {
		{"FREQ=MONTHLY;BYWEEKNO=2", LYC_INVALID_ARGUMENT, "BYWEEKNO"},
		{"FREQ=WEEKLY;BYYEARDAY=2", LYC_INVALID_ARGUMENT, "BYYEARDAY"},
		{"FREQ=WEEKLY;BYMONTHDAY=2", LYC_INVALID_ARGUMENT, "BYMONTHDAY"},
		{"FREQ=WEEKLY;BYDAY=1MO", LYC_INVALID_ARGUMENT, "1MO"},
		{"FREQ=YEARLY;BYWEEKNO=3;BYDAY=1MO", LYC_INVALID_ARGUMENT, "BYWEEKNO"},
		{"FREQ=WEEKLY;BYSETPOS=1", LYC_INVALID_ARGUMENT, "BYSETPOS"},
		{"FREQ=DAILY;UNTIL=20270101", LYC_INVALID_ARGUMENT, "UNTIL"},
	};
	struct recurrence_rule rule;
	struct lyc_error error;
	(void)state;
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		rule = rule_of(forbidden[i].rule);
		assert_int_equal(recurrence_check(&rule, false, &error), LYC_INVALID_ARGUMENT);
		assert_non_null(strstr(error.text, forbidden[i].word));
	}
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		rule = rule_of(examples[i].rule);
		assert_int_equal(recurrence_check(&rule, !strchr(examples[i].start, 'T'), &error),
				 LYC_OK);
	}
	rule = rule_of("FREQ=DAILY;BYHOUR=9");
	assert_int_equal(recurrence_check(&rule, true, &error), LYC_INVALID_ARGUMENT);
	rule = rule_of("FREQ=HOURLY");
	assert_int_equal(recurrence_check(&rule, true, &error), LYC_INVALID_ARGUMENT);
}

static void test_recurrence_writes_one_form(void **state)
{
	struct recurrence_rule rule =
		rule_of("rrule:byday=we,mo,+2tu,-1fr,mo ; wkst=su;until=2027-01-31T08:00:00Z;"
			"interval=01;freq=monthly;bysetpos=-1,2;bysecond=60;");
	struct recurrence_rule again;
	char text[RECURRENCE_MAX_TEXT];
	(void)state;
	assert_true(recurrence_write(&rule, text, sizeof(text)));
	assert_string_equal(text, "FREQ=MONTHLY;UNTIL=20270131T080000Z;BYSECOND=59;"
				  "BYDAY=MO,WE,-1FR,2TU;BYSETPOS=-1,2;WKST=SU");
	again = rule_of(text);
	assert_true(recurrence_is_equal(&rule, &again));
	again.nth[1] = 0;
	assert_false(recurrence_is_equal(&rule, &again));
	assert_false(recurrence_write(&rule, text, 40));
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		rule = rule_of(examples[i].rule);
		assert_true(recurrence_write(&rule, text, sizeof(text)));
		again = rule_of(text);
		assert_true(recurrence_is_equal(&rule, &again));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recurrence_gives_the_examples_of_the_rfc),
		cmocka_unit_test(test_recurrence_keeps_added_and_leaves_out_removed),
		cmocka_unit_test(test_recurrence_merges_rules_and_gives_each_start_once),
		cmocka_unit_test(test_recurrence_lists_a_window_and_says_when_there_is_more),
		cmocka_unit_test(test_recurrence_counts_what_lies_before_the_window),
		cmocka_unit_test(test_recurrence_knows_whether_the_start_belongs),
		cmocka_unit_test(test_recurrence_ends_when_nothing_ever_comes),
		cmocka_unit_test(test_recurrence_says_when_it_gives_up),
		cmocka_unit_test(test_recurrence_takes_huge_sets_by_arithmetic),
		cmocka_unit_test(test_recurrence_compares_until_in_the_zone),
		cmocka_unit_test(test_recurrence_keeps_the_wall_time_over_summer_time),
		cmocka_unit_test(test_recurrence_refuses_with_the_part_at_fault),
		cmocka_unit_test(test_recurrence_check_names_what_the_rfc_forbids),
		cmocka_unit_test(test_recurrence_writes_one_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
