/* The fields of an entry, each read into what the record has; the first fault is kept. */
#ifndef INVESTMENT_ENTRY_FIELD_H
#define INVESTMENT_ENTRY_FIELD_H

#include <google/protobuf/timestamp.pb-c.h>

#include <lyceum/status.h>

#include "pad.h"
#include "vocabulary.h"

struct entry_reader {
	struct pad *pad;
	struct lyc_error *error;
	/* LYC_OK until something is at fault. */
	enum lyc_status status;
};

enum lyc_status entry_refuse(struct entry_reader *reader, const char *field, const char *format,
			     ...) LYC_PRINTF(3, 4);
/* Each leaves the target alone when nothing is said. */
void entry_text(char **to, char *said);
void entry_word(struct entry_reader *reader, const char *field, enum word_kind kind,
		const char *said, char **to);
void entry_words(struct entry_reader *reader, const char *field, enum word_kind kind,
		 char *const *said, size_t count, char ***to, size_t *to_count);
/* Sectors and traits alike; whole words of the list only, because others see no finer ones. */
void entry_exclusions(struct entry_reader *reader, const char *field, char *const *said,
		      size_t count, char ***to, size_t *to_count);
void entry_money(struct entry_reader *reader, const char *field, const char *said, int64_t *to);
void entry_time(const Google__Protobuf__Timestamp *said, int64_t plus_ms, int64_t *to);

#endif
