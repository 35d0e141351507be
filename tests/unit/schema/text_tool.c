/*
 * The text forms on standard input and output, for tests in other languages. A line each:
 * "write MESSAGE HEX" answers JSON, "read MESSAGE HEX-OF-JSON" answers hex, "check MESSAGE HEX"
 * answers nothing, "describe NAME" answers the text in hex; an error is answered as "! " and its
 * sentence.
 */
#include "text_types.h"

static int digit_of(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

static void add_hex(struct buf *to, const char *hex)
{
	for (; digit_of(hex[0]) >= 0 && digit_of(hex[1]) >= 0; hex += 2)
		buf_add_byte(to, (uint8_t)(digit_of(hex[0]) << 4 | digit_of(hex[1])));
}

static void print_hex(const struct buf *bytes)
{
	for (size_t i = 0; i < bytes->len; i++)
		printf("%02x", bytes->data[i]);
	printf("\n");
}

static void answer(const struct schema *schema, char *line)
{
	char *verb = strtok(line, " \n");
	char *name = strtok(NULL, " \n");
	char *hex = strtok(NULL, " \n");
	struct buf in = {0};
	struct buf out = {0};
	struct lyc_error error = {0};
	enum lyc_status status = LYC_INVALID_ARGUMENT;
	add_hex(&in, hex ? hex : "");
	const struct schema_message *message = name ? schema_find_message(schema, name) : NULL;
	if (verb && name && strcmp(verb, "describe") == 0) {
		status = describe_write(schema, name, true, &out);
	} else if (!verb || !message) {
		snprintf(error.text, sizeof(error.text), "no such message");
	} else if (strcmp(verb, "check") == 0) {
		status = schema_check(message, span_of(in.data, in.len), false, &error);
	} else if (strcmp(verb, "write") == 0) {
		status = schema_check(message, span_of(in.data, in.len), false, &error);
		if (!status)
			status = json_write(message, span_of(in.data, in.len), NULL, &out, &error);
	} else {
		status = json_read(message, (const char *)in.data, in.len, &out, &error);
		if (!status)
			status = schema_check(message, span_of(out.data, out.len), false, &error);
	}
	/* An answer is one line, whatever it quotes. */
	for (char *at = error.text; *at; at++)
		*at = *at == '\n' ? ' ' : *at;
	if (status)
		printf("! %s\n", error.text);
	else if (strcmp(verb, "write") == 0)
		printf("%.*s\n", (int)out.len, (const char *)out.data);
	else
		print_hex(&out);
	buf_fini(&in);
	buf_fini(&out);
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t cap = 0;
	if (argc != 2) {
		fprintf(stderr, "usage: text_tool SET\n");
		return 2;
	}
	struct schema *schema = text_types_schema(argv[1]);
	while (getline(&line, &cap, stdin) > 0) {
		answer(schema, line);
		fflush(stdout);
	}
	free(line);
	schema_unref(schema);
	return 0;
}
