/* Small readers, one for each sort of field. */
#include "entry_field.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "money.h"

enum lyc_status entry_refuse(struct entry_reader *reader, const char *field, const char *format,
			     ...)
{
	va_list args;

	if (reader->status != LYC_OK)
		return reader->status;
	reader->status = reader->error->status = LYC_INVALID_ARGUMENT;
	va_start(args, format);
	vsnprintf(reader->error->text, sizeof(reader->error->text), format, args);
	va_end(args);
	snprintf(reader->error->field, sizeof(reader->error->field), "%s", field);
	return reader->status;
}

void entry_text(char **to, char *said)
{
	if (said[0])
		*to = said;
}

void entry_word(struct entry_reader *reader, const char *field, enum word_kind kind,
		const char *said, char **to)
{
	if (!said[0])
		return;
	char *normal = vocabulary_normal(reader->pad, kind, said);
	if (!normal)
		entry_refuse(reader, field, "\"%.40s\" is no %s of the list: %s", said,
			     vocabulary_kind_name(kind), vocabulary_hint(reader->pad, kind));
	else
		*to = normal;
}

void entry_words(struct entry_reader *reader, const char *field, enum word_kind kind,
		 char *const *said, size_t count, char ***to, size_t *to_count)
{
	char **words = NULL;
	size_t word_count = 0;

	for (size_t i = 0; i < count; i++) {
		char *word = NULL;
		entry_word(reader, field, kind, said[i], &word);
		if (word)
			pad_push(reader->pad, &words, &word_count, word);
	}
	if (word_count > 0) {
		*to = words;
		*to_count = word_count;
	}
}

void entry_exclusions(struct entry_reader *reader, const char *field, char *const *said,
		      size_t count, char ***to, size_t *to_count)
{
	char **words = NULL;
	size_t word_count = 0;

	for (size_t i = 0; i < count; i++) {
		const char *word = vocabulary_find(WORD_SECTOR, said[i]);
		if (!word)
			word = vocabulary_find(WORD_TRAIT, said[i]);
		if (!word) {
			entry_refuse(reader, field,
				     "\"%.40s\" is neither a sector nor a trait of the list: see "
				     "`lyceum invest vocabulary`",
				     said[i]);
			continue;
		}
		pad_push(reader->pad, &words, &word_count, pad_copy(reader->pad, word));
	}
	if (word_count > 0) {
		*to = words;
		*to_count = word_count;
	}
}

void entry_money(struct entry_reader *reader, const char *field, const char *said, int64_t *to)
{
	if (said[0] && !money_read(said, to))
		entry_refuse(reader, field, "\"%.40s\" is no amount: write 250000 or 250000.50",
			     said);
}

void entry_time(const Google__Protobuf__Timestamp *said, int64_t plus_ms, int64_t *to)
{
	if (said && said->seconds > 0)
		*to = said->seconds * 1000 + said->nanos / 1000000 + plus_ms;
}
