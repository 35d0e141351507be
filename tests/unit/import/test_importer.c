/*
 * Whole imports into a small service in memory: it keeps members by their number, compares, refuses
 * who is called "Bad", and can be unreachable.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/pb.h"
#include "import/import.h"
#include "roster.h"

#define MAX_MEMBERS 2000

struct member {
	struct buf id;
	struct buf bytes;
};

struct service {
	struct schema *schema;
	struct member members[MAX_MEMBERS];
	size_t member_count;
	size_t call_count;
	size_t dry_count;
	size_t largest_call;
	size_t largest_body;
	/* From this call on nobody answers; 0: never. */
	size_t dead_from;
	/* Refuse a whole request that has this member. */
	const char *poison;
	char source[40];
};

static struct service service;
static char folder[] = "/tmp/lyceum-import-XXXXXX";
static char out_text[20000];
static char err_text[20000];

static struct span text_of(struct span item, uint32_t number)
{
	struct pb_reader reader = pb_reader_of(item);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == number)
			return field.bytes;
	}
	return (struct span){0};
}

static struct member *member_of(struct span id)
{
	for (size_t i = 0; i < service.member_count; i++) {
		if (span_equal(span_of(service.members[i].id.data, service.members[i].id.len), id))
			return &service.members[i];
	}
	return NULL;
}

/* The change of one item: 1 added, 2 updated, 3 unchanged. */
static uint64_t keep(struct span item, bool is_dry)
{
	struct span id = text_of(item, 1);
	struct member *member = member_of(id);
	if (member && span_equal(span_of(member->bytes.data, member->bytes.len), item))
		return 3;
	if (is_dry)
		return member ? 2 : 1;
	uint64_t change = member ? 2 : 1;
	if (!member) {
		assert_true(service.member_count < MAX_MEMBERS);
		member = &service.members[service.member_count++];
		buf_add(&member->id, id.data, id.len);
	}
	buf_clear(&member->bytes);
	buf_add(&member->bytes, item.data, item.len);
	return change;
}

static enum lyc_status serve(void *arg, struct span body, struct buf *ret_reply,
			     struct lyc_error *error)
{
	const struct schema_method *method = arg;
	struct lyc_error fault = {0};
	struct pb_reader reader = pb_reader_of(body);
	struct pb_field field;
	size_t item_count = 0;
	bool is_dry = false;
	service.call_count++;
	if (service.dead_from && service.call_count >= service.dead_from)
		return error_set(error, LYC_UNAVAILABLE, "no daemon answers at ipc:///x");
	/* As the daemon does at its door. */
	if (schema_check(method->input, body, true, &fault))
		fail_msg("the request is wrong: %s: %s", fault.field, fault.text);
	while (pb_read_field(&reader, &field)) {
		if (field.number == 2)
			is_dry = true;
		if (field.number == 3)
			snprintf(service.source, sizeof(service.source), "%.*s",
				 (int)field.bytes.len, (const char *)field.bytes.data);
		if (field.number == 1 && service.poison &&
		    span_is(text_of(field.bytes, 1), service.poison))
			return error_set_field(error, LYC_INVALID_ARGUMENT, "items[0].year",
					       "the whole request is refused");
	}
	service.dry_count += is_dry;
	service.largest_body = body.len > service.largest_body ? body.len : service.largest_body;
	reader = pb_reader_of(body);
	while (pb_read_field(&reader, &field)) {
		if (field.number != 1)
			continue;
		size_t mark = pb_begin(ret_reply, 1);
		item_count++;
		if (span_is(text_of(field.bytes, 2), "Bad")) {
			pb_write_uint(ret_reply, 1, LYC_INVALID_ARGUMENT);
			pb_write_text(ret_reply, 2, "nobody is called \"Bad\"");
			pb_write_text(ret_reply, 3, "full_name");
		} else {
			pb_write_uint(ret_reply, 4, keep(field.bytes, is_dry));
		}
		pb_end(ret_reply, mark);
	}
	service.largest_call =
		item_count > service.largest_call ? item_count : service.largest_call;
	return LYC_OK;
}

static const char *path_of(const char *name)
{
	static char paths[4][300];
	static size_t next;
	char *path = paths[next++ % 4];
	snprintf(path, 300, "%s/%s", folder, name);
	return path;
}

static void put_file(const char *name, const char *text)
{
	FILE *file = fopen(path_of(name), "wb");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static const char *get_file(const char *name)
{
	static char text[100000];
	FILE *file = fopen(path_of(name), "rb");
	if (!file)
		return NULL;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

static int run_method(const char *name, int argc, char **argv)
{
	const struct schema_method *method = schema_find_method(service.schema, name);
	assert_non_null(method);
	struct import_sink sink = {.send = serve, .arg = (void *)(uintptr_t)method};
	FILE *out = fmemopen(out_text, sizeof(out_text), "w");
	FILE *err = fmemopen(err_text, sizeof(err_text), "w");
	assert_true(out && err);
	memset(out_text, 0, sizeof(out_text));
	memset(err_text, 0, sizeof(err_text));
	int code = import_run_to(&sink, method, argc, argv, out, err);
	fclose(out);
	fclose(err);
	return code;
}

/* Run with a file of the folder and up to three more words. */
static int run(const char *name, const char *a, const char *b, const char *c)
{
	char *argv[4] = {(char *)(uintptr_t)path_of(name), (char *)(uintptr_t)a,
			 (char *)(uintptr_t)b, (char *)(uintptr_t)c};
	return run_method("roster.v1.Roster/Import", 1 + !!a + !!b + !!c, argv);
}

static const char *member_json(const char *id)
{
	static struct buf json;
	struct lyc_error error = {0};
	struct member *member = member_of(span_of(id, strlen(id)));
	if (!member)
		return "none";
	buf_fini(&json);
	assert_int_equal(json_write(schema_find_message(service.schema, "roster.v1.Member"),
				    span_of(member->bytes.data, member->bytes.len), NULL, &json,
				    &error),
			 LYC_OK);
	return buf_text(&json);
}

static int reset(void **state)
{
	(void)state;
	for (size_t i = 0; i < service.member_count; i++) {
		buf_fini(&service.members[i].id);
		buf_fini(&service.members[i].bytes);
	}
	struct schema *schema = service.schema;
	memset(&service, 0, sizeof(service));
	service.schema = schema;
	return 0;
}

#define assert_contains(text, part)                                                                \
	do {                                                                                       \
		if (!strstr(text, part))                                                           \
			fail_msg("\"%s\" is not in: %s", part, text);                              \
	} while (0)

static void test_import_takes_a_list_from_excel(void **state)
{
	(void)state;
	put_file("excel.csv", "sep=;\r\nMember Number;Name;Kind;Expertise;Joined;Fee\r\n"
			      "7;Am\xE9lie O\x92Neil;ip lawyer;\"patents; \"\"soft\"\" law\";"
			      "31/12/2020;12,5\r\n");
	assert_int_equal(run("excel.csv", NULL, NULL, NULL), IMPORT_EXIT_OK);
	assert_string_equal(
		member_json("7"),
		"{\"id\":\"7\",\"fullName\":\"Am\xC3\xA9lie O\xE2\x80\x99Neil\","
		"\"kind\":\"IP_LAWYER\",\"keywords\":[\"patents\",\"\\\"soft\\\" law\"],"
		"\"joined\":\"2020-12-31T00:00:00Z\",\"fee\":12.5}");
	assert_contains(out_text, "1 row read, 1 item: 1 added.");
	assert_null(get_file("excel.refused.csv"));
}

static void test_import_groups_rows_wherever_they_stand(void **state)
{
	(void)state;
	put_file("works.csv", "id,name,doi,year\n1,Ada,10.1/a,2001\n2,Bo,10.1/b,\n"
			      "1,Ada L,10.1/c,2001\n,Cy,10.1/d,\n,Di,,\n");
	assert_int_equal(run("works.csv", NULL, NULL, NULL), IMPORT_EXIT_OK);
	assert_string_equal(member_json("1"),
			    "{\"id\":\"1\",\"fullName\":\"Ada\",\"work\":[{\"doi\":\"10.1/a\"},"
			    "{\"doi\":\"10.1/c\"}],\"year\":2001}");
	/* Two rows without a number are two items. */
	assert_contains(out_text, "5 rows read, 4 items");
	assert_contains(out_text, "name: another value than in an earlier row");
	assert_contains(out_text, "(line 4)");
}

static void test_import_twice_changes_nothing(void **state)
{
	(void)state;
	put_file("twice.csv", "id,name,doi,expertise\n1,Ada,10.1/a,x;y\n2,Bo,10.1/b,\n"
			      "1,Ada,10.1/c,y;z\n");
	assert_int_equal(run("twice.csv", NULL, NULL, NULL), IMPORT_EXIT_OK);
	assert_contains(out_text, "2 added");
	assert_int_equal(run("twice.csv", NULL, NULL, NULL), IMPORT_EXIT_OK);
	assert_contains(out_text, "2 items: 2 unchanged.");
}

static void test_import_refuses_rows_that_can_be_mended(void **state)
{
	(void)state;
	put_file("list.csv",
		 "\xEF\xBB\xBFid;name;year;note\r\n1;Ada;2001;\"a\r\nb\"\r\n2;Bo;soon;x\r\n"
		 "3;Cy;1800;x\r\n4;Di;2002\r\n5;Bad;2003;x\r\n6;;2004;x\r\n"
		 "1;Ada;2001;x\r\n2;Bo;2001;x\r\n");
	assert_int_equal(run("list.csv", NULL, NULL, NULL), IMPORT_EXIT_REFUSED);
	assert_int_equal(service.member_count, 1);
	assert_contains(out_text, "8 rows read, 6 items: 1 added.");
	assert_contains(out_text, "6 rows refused (5 items):");
	assert_contains(out_text, "year: \"\xE2\x80\xA6\" is not a number (line 4)");
	assert_contains(out_text, "list.refused.csv");
	const char *refused = get_file("list.refused.csv");
	assert_non_null(refused);
	assert_memory_equal(
		refused, "\xEF\xBB\xBFid;name;year;note;refused_line;refused_reason\r\n",
		strlen("\xEF\xBB\xBFid;name;year;note;refused_line;refused_reason\r\n"));
	assert_contains(refused, "\r\n2;Bo;soon;x;4;\"year: \"\"soon\"\" is not a number\"\r\n"
				 "2;Bo;2001;x;10;\"line 4 of the same item: year: ");
	assert_contains(refused, "\r\n4;Di;2002;6;the row has 3 cells, the headings are 4\r\n");
	assert_contains(refused, "\r\n5;Bad;2003;x;7;\"name: nobody is called \"\"Bad\"\"\"\r\n");
	assert_contains(refused, "\r\n3;Cy;1800;x;5;year: ");
	assert_contains(refused, "\r\n6;;2004;x;8;name: ");

	/* Mend two, leave the rest. */
	put_file("list.refused.csv",
		 "\xEF\xBB\xBFid;name;year;note;refused_line;refused_reason\r\n"
		 "2;Bo;2000;x;4;\"year: \"\"soon\"\" is not a number\"\r\n2;Bo;2000;x;10;y\r\n"
		 "4;Di;2002;;6;the row has 3 cells\r\n5;Bad;2003;x;7;why\r\n"
		 "4;Di;2002;6;short\r\n");
	assert_int_equal(run("list.refused.csv", NULL, NULL, NULL), IMPORT_EXIT_REFUSED);
	assert_string_equal(member_json("2"), "{\"id\":\"2\",\"fullName\":\"Bo\",\"year\":2000}");
	/* The columns are not added twice, and an item is not taken without all its rows. */
	refused = get_file("list.refused.refused.csv");
	assert_non_null(refused);
	assert_contains(refused, "\xEF\xBB\xBFid;name;year;note;refused_line;refused_reason\r\n");
	assert_contains(refused, "\r\n5;Bad;2003;x;5;\"name: ");
	assert_contains(refused, "\r\n4;Di;2002;6;the row has 5 cells, the headings are 6\r\n");
	assert_string_equal(member_json("4"), "none");
}

static void test_import_names_the_row_of_a_wrong_element(void **state)
{
	(void)state;
	put_file("dois.csv",
		 "id,name,DOI\n1,Ada,10.1/a\n2,Bo,10.1/b\n1,Ada,11.1/c\n1,Ada,10.1/d\n");
	assert_int_equal(run("dois.csv", NULL, NULL, NULL), IMPORT_EXIT_REFUSED);
	assert_contains(out_text, "3 rows refused (1 item):");
	assert_contains(out_text, "(line 4)");
	const char *refused = get_file("dois.refused.csv");
	assert_contains(refused, "1,Ada,11.1/c,4,");
	assert_contains(refused, "1,Ada,10.1/a,2,line 4 of the same item: DOI: ");
	assert_string_equal(member_json("1"), "none");
}

static void test_import_keeps_an_earlier_refused_file(void **state)
{
	(void)state;
	put_file("again.csv", "id,name\n1,Bad\n");
	put_file("again.refused.csv", "mended by hand\n");
	assert_int_equal(run("again.csv", NULL, NULL, NULL), IMPORT_EXIT_REFUSED);
	assert_string_equal(get_file("again.refused.csv~"), "mended by hand\n");
	assert_contains(get_file("again.refused.csv"), "1,Bad,2,");
	assert_int_equal(run("again.csv", "--refused", path_of("other.csv"), NULL),
			 IMPORT_EXIT_REFUSED);
	assert_contains(get_file("other.csv"), "1,Bad,2,");
}

static void test_import_sends_256_items_at_a_time(void **state)
{
	(void)state;
	struct buf text = {0};
	buf_add_text(&text, "id\tname\n");
	for (int i = 0; i < 600; i++)
		buf_add_format(&text, "%d\tn%d\n", i, i);
	put_file("many.txt", buf_text(&text));
	assert_int_equal(run("many.txt", NULL, NULL, NULL), IMPORT_EXIT_OK);
	assert_int_equal(service.call_count, 3);
	assert_int_equal(service.largest_call, 256);
	assert_int_equal(service.member_count, 600);

	/* 30 items of 50 KB each: fewer a request. And one of 1 MB: refused alone. */
	reset(state);
	buf_clear(&text);
	buf_add_text(&text, "id\tname\tremark\n");
	for (int i = 0; i < 31; i++) {
		buf_add_format(&text, "%d\tn%d\t", i, i);
		for (int j = 0; j < (i == 30 ? 1000000 : 50000); j++)
			buf_add_byte(&text, 'x');
		buf_add_byte(&text, '\n');
	}
	put_file("large.txt", buf_text(&text));
	assert_int_equal(run("large.txt", NULL, NULL, NULL), IMPORT_EXIT_REFUSED);
	assert_int_equal(service.member_count, 30);
	assert_int_equal(service.call_count, 2);
	assert_true(service.largest_body <= 900 * 1024);
	assert_contains(out_text, "the item has 976 KiB; a request takes at most 900 (line 32)");
	buf_fini(&text);
}

static void test_import_finds_the_item_that_spoils_a_request(void **state)
{
	(void)state;
	service.poison = "3";
	put_file("poison.csv", "id,name\n1,a\n2,b\n3,c\n4,d\n5,e\n");
	assert_int_equal(run("poison.csv", NULL, NULL, NULL), IMPORT_EXIT_REFUSED);
	assert_int_equal(service.member_count, 4);
	assert_contains(get_file("poison.refused.csv"), "3,c,4,");
	assert_contains(get_file("poison.refused.csv"), "the whole request is refused");
}

static void test_import_tells_an_unreachable_daemon(void **state)
{
	(void)state;
	struct buf text = {0};
	buf_add_text(&text, "id,name\n");
	for (int i = 0; i < 600; i++)
		buf_add_format(&text, "%d,n%d\n", i, i);
	put_file("cut.csv", buf_text(&text));
	service.dead_from = 2;
	assert_int_equal(run("cut.csv", NULL, NULL, NULL), IMPORT_EXIT_UNREACHABLE);
	assert_contains(out_text, "256 added");
	assert_contains(out_text, "Stopped early: no daemon answers at ipc:///x.");
	assert_int_equal(service.member_count, 256);
	/* Again, for the rest. */
	service.dead_from = 0;
	assert_int_equal(run("cut.csv", NULL, NULL, NULL), IMPORT_EXIT_OK);
	assert_contains(out_text, "344 added");
	assert_contains(out_text, "256 unchanged");
	buf_fini(&text);
}

static void test_import_shows_a_dry_run(void **state)
{
	(void)state;
	put_file("dry.csv", "id,naem,shoe size,name\n1,x,41,Ada\n2,y,42,\n");
	assert_int_equal(run("dry.csv", "--dry-run", NULL, NULL), IMPORT_EXIT_REFUSED);
	assert_int_equal(service.member_count, 0);
	assert_int_equal(service.dry_count, service.call_count);
	assert_true(service.dry_count > 0);
	assert_contains(out_text, "COLUMN");
	assert_contains(out_text, "shoe size  41, 42        ?  (no field has a name like this)");
	assert_contains(out_text, "full_name");
	assert_contains(out_text, "nothing was changed");
	assert_contains(out_text, "1 added");
	assert_null(get_file("dry.refused.csv"));

	/* A service that takes no dry run is not called. */
	char *argv[] = {(char *)(uintptr_t)path_of("dry.csv"), (char[]){"--dry-run"}};
	service.call_count = 0;
	assert_int_equal(run_method("roster.v1.Roster/ImportBlind", 2, argv), IMPORT_EXIT_REFUSED);
	assert_int_equal(service.call_count, 0);
	assert_contains(out_text, "nothing was sent");
}

static void test_import_keeps_a_mapping(void **state)
{
	(void)state;
	put_file("map.csv", "No,Who\n1,Ada\n");
	assert_int_equal(run("map.csv", NULL, NULL, NULL), IMPORT_EXIT_USAGE);
	assert_contains(err_text, "--map");
	put_file("kept.map", "No: id\nWho: full_name\n");
	assert_int_equal(run("map.csv", "--map", path_of("kept.map"), NULL), IMPORT_EXIT_OK);
	assert_string_equal(member_json("1"), "{\"id\":\"1\",\"fullName\":\"Ada\"}");
	put_file("names.csv", "id,name\n1,Ada\n");
	assert_int_equal(run("names.csv", "--save-map", path_of("saved.map"), NULL),
			 IMPORT_EXIT_OK);
	assert_contains(get_file("saved.map"), "\nid: id\nname: full_name\n");
}

static void test_import_reads_json_lines(void **state)
{
	(void)state;
	put_file("list.jsonl", "{\"id\": \"1\", \"fullName\": \"Ada\"}\n\n"
			       "{\"id\": \"2\", \"full_name\": \"Bo\", \"shoe\": 41}\n{\"id\": \n"
			       "{\"id\":\"4\",\"fullName\":\"Bad\"}\n");
	assert_int_equal(run("list.jsonl", NULL, NULL, NULL), IMPORT_EXIT_REFUSED);
	assert_string_equal(member_json("1"), "{\"id\":\"1\",\"fullName\":\"Ada\"}");
	assert_contains(out_text, "4 rows read, 4 items: 1 added.");
	assert_contains(out_text, "3 rows refused (3 items):");
	const char *refused = get_file("list.refused.jsonl");
	assert_contains(refused, "\"shoe\": 41, \"refused_line\": 3, \"refused_reason\": \"");
	assert_contains(refused, "{\"refused_line\": 4, \"refused_reason\": \"");
	assert_contains(refused, "\n{\"id\":\n");
	assert_contains(refused, "\"fullName\":\"Bad\", \"refused_line\": 5, ");

	put_file("mended.jsonl", "{\"refused_line\": 4, \"refused_reason\": \"broken\"}\n"
				 "{\"id\": \"4\", \"fullName\": \"Di\", \"refused_line\": 5, "
				 "\"refused_reason\": \"x\"}\n");
	assert_int_equal(run("mended.jsonl", NULL, NULL, NULL), IMPORT_EXIT_OK);
	assert_contains(out_text, "1 row read, 1 item: 1 added.");
	assert_string_equal(member_json("4"), "{\"id\":\"4\",\"fullName\":\"Di\"}");
}

static void test_import_prints_json(void **state)
{
	(void)state;
	put_file("sum.csv", "id,name,year\n1,Ada,2001\n2,Bo,soon\n3,Cy,later\n");
	assert_int_equal(run("sum.csv", "--json", "--source", "a register"), IMPORT_EXIT_REFUSED);
	assert_string_equal(service.source, "a register");
	json_t *object = json_loads(out_text, 0, NULL);
	assert_non_null(object);
	assert_int_equal(json_integer_value(json_object_get(object, "rows")), 3);
	assert_int_equal(json_integer_value(json_object_get(object, "added")), 1);
	assert_int_equal(json_integer_value(json_object_get(object, "updated")), 0);
	assert_int_equal(json_integer_value(json_object_get(object, "refused_rows")), 2);
	json_t *reasons = json_object_get(object, "reasons");
	assert_int_equal(json_array_size(reasons), 1);
	json_t *reason = json_array_get(reasons, 0);
	assert_int_equal(json_integer_value(json_object_get(reason, "count")), 2);
	json_t *first = json_array_get(json_object_get(reason, "first"), 0);
	assert_int_equal(json_integer_value(json_object_get(first, "line")), 3);
	json_decref(object);
}

static void test_import_refuses_a_wrong_command_line(void **state)
{
	(void)state;
	put_file("x.csv", "id,name\n1,Ada\n");
	assert_int_equal(run("x.csv", "--shoe", NULL, NULL), IMPORT_EXIT_USAGE);
	assert_contains(err_text, "--shoe");
	assert_int_equal(run("absent.csv", NULL, NULL, NULL), IMPORT_EXIT_USAGE);
	assert_contains(err_text, "absent.csv: cannot be opened");
	assert_int_equal(run_method("roster.v1.Roster/Import", 0, NULL), IMPORT_EXIT_USAGE);
	assert_int_equal(service.call_count, 0);
	char *argv[] = {(char *)(uintptr_t)path_of("x.csv")};
	assert_int_equal(run_method("roster.v1.Roster/ImportMute", 1, argv), IMPORT_EXIT_REFUSED);
	assert_contains(err_text, "results");
}

static void test_import_takes_several_files(void **state)
{
	(void)state;
	put_file("a.csv", "id,name\n1,Ada\n");
	put_file("b.tsv", "name\tid\nBo\t2\nBad\t3\n");
	assert_int_equal(run("a.csv", path_of("gone.csv"), path_of("b.tsv"), NULL),
			 IMPORT_EXIT_USAGE);
	assert_contains(err_text, "gone.csv: cannot be opened");
	assert_int_equal(service.member_count, 2);
	assert_contains(out_text, "b.tsv:3)");
	assert_contains(get_file("b.refused.tsv"), "Bad\t3\t3\tname: nobody is called \"Bad\"\r\n");
}

static int load(void **state)
{
	(void)state;
	service.schema = roster_load();
	return mkdtemp(folder) ? 0 : -1;
}

static int unload(void **state)
{
	char command[100];
	reset(state);
	schema_unref(service.schema);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_import_takes_a_list_from_excel, reset),
		cmocka_unit_test_setup(test_import_groups_rows_wherever_they_stand, reset),
		cmocka_unit_test_setup(test_import_twice_changes_nothing, reset),
		cmocka_unit_test_setup(test_import_refuses_rows_that_can_be_mended, reset),
		cmocka_unit_test_setup(test_import_names_the_row_of_a_wrong_element, reset),
		cmocka_unit_test_setup(test_import_keeps_an_earlier_refused_file, reset),
		cmocka_unit_test_setup(test_import_sends_256_items_at_a_time, reset),
		cmocka_unit_test_setup(test_import_finds_the_item_that_spoils_a_request, reset),
		cmocka_unit_test_setup(test_import_tells_an_unreachable_daemon, reset),
		cmocka_unit_test_setup(test_import_shows_a_dry_run, reset),
		cmocka_unit_test_setup(test_import_keeps_a_mapping, reset),
		cmocka_unit_test_setup(test_import_reads_json_lines, reset),
		cmocka_unit_test_setup(test_import_prints_json, reset),
		cmocka_unit_test_setup(test_import_refuses_a_wrong_command_line, reset),
		cmocka_unit_test_setup(test_import_takes_several_files, reset),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
