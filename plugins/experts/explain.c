/* Matched words are shown as they are written in the text, each once. */
#include "explain.h"

#include <strings.h>

#include "grow.h"

typedef Lyceum__Experts__V1__Part part_msg;
typedef Lyceum__Experts__V1__Evidence evidence_msg;

#define MAX_WORDS 8

/* What one item is about. */
struct source {
	const char *field;
	const char *id;
	const char *title;
	/* What is looked through for words; may be NULL. */
	const char *texts[2];
	/* In front of the words of the sentence. */
	char lead[320];
};

static const char *kind_word(Lyceum__Experts__V1__Evidence__Kind kind)
{
	static const char *const words[] = {"work",   "work", "grant",     "case",
					    "patent", "talk", "testimony", "project"};
	size_t index = (size_t)kind;
	return index < sizeof(words) / sizeof(words[0]) ? words[index] : "work";
}

static char *copy(const char *text)
{
	return grow_copy(text, strlen(text));
}

/* Room for max bytes, cut between characters. */
static int cut_len(const char *text, int max)
{
	int len = (int)strlen(text);

	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
		max--;
	return max;
}

static void describe_evidence(struct source *source, const evidence_msg *evidence)
{
	char year[16] = "";

	if (evidence->year)
		snprintf(year, sizeof(year), " (%u)", (unsigned)evidence->year);
	*source = (struct source){.field = "evidence",
				  .id = evidence->ref,
				  .title = evidence->title,
				  .texts = {evidence->title, evidence->abstract}};
	snprintf(source->lead, sizeof(source->lead), "the %s \"%.*s%s\"%s",
		 kind_word(evidence->kind), cut_len(evidence->title, 160), evidence->title,
		 strlen(evidence->title) > 160 ? "..." : "", year);
}

static void describe_named(struct source *source, const char *field, const char *lead,
			   const char *text, const char *more)
{
	*source = (struct source){.field = field, .id = "", .title = "", .texts = {text, more}};
	bool has_more = more && more[0];
	snprintf(source->lead, sizeof(source->lead), "%s \"%.*s%s%.*s\"", lead, cut_len(text, 140),
		 text, has_more && text[0] ? ", " : "", has_more ? cut_len(more, 140) : 0,
		 has_more ? more : "");
}

static void describe(struct source *source, const Lyceum__Experts__V1__Expert *expert,
		     const struct score_part *part)
{
	switch (part->field) {
	case INDEX_EVIDENCE:
		describe_evidence(source, expert->evidence[part->ordinal]);
		break;
	case INDEX_TOPIC:
		describe_named(source, "topic", "the stated topic",
			       expert->topic[part->ordinal]->topic, NULL);
		break;
	case INDEX_ROLE:
		describe_named(source, "role", "the role", expert->role[part->ordinal]->post,
			       expert->role[part->ordinal]->at);
		break;
	case INDEX_ORGANISATION:
		describe_named(source, "organisation", "the organisation",
			       expert->organisation->organisation_name,
			       expert->organisation->department);
		break;
	case INDEX_NAME:
		describe_named(source, "name", "the name", expert->name->display, NULL);
		break;
	}
}

static bool is_there(char *const *words, size_t count, const struct words *word)
{
	for (size_t i = 0; i < count; i++) {
		if (strlen(words[i]) == word->len &&
		    strncasecmp(words[i], word->start, word->len) == 0)
			return true;
	}
	return false;
}

static bool matches(const struct words *word, bool is_name, const struct query *query,
		    struct index *index)
{
	struct lexicon *lexicon = index_lexicon(index);
	uint32_t term = is_name ? lexicon_find_name(lexicon, word->folded, word->folded_len)
				: lexicon_find_stem(lexicon, word->folded, word->folded_len);
	return term != POOL_NONE && query_find(query, term);
}

/* The words of the source that the question matched, into part->word. */
static void find_words(part_msg *part, const struct source *source, bool is_name,
		       const struct query *query, struct index *index)
{
	part->word = grow_new(MAX_WORDS, sizeof(char *));
	for (size_t i = 0; i < 2 && source->texts[i]; i++) {
		struct words words;
		words_init(&words, source->texts[i], strlen(source->texts[i]));
		while (part->n_word < MAX_WORDS && words_next(&words)) {
			if (matches(&words, is_name, query, index) &&
			    !is_there(part->word, part->n_word, &words))
				part->word[part->n_word++] = grow_copy(words.start, words.len);
		}
	}
}

static char *sentence(const part_msg *part, const struct source *source)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = grow_check(open_memstream(&text, &len));

	fprintf(to, "%s", source->lead);
	for (size_t i = 0; i < part->n_word; i++)
		fprintf(to, "%s%s",
			i == 0                 ? " matches "
			: i + 1 < part->n_word ? ", "
					       : " and ",
			part->word[i]);
	fclose(to);
	return grow_check(text);
}

static part_msg *tell(const Lyceum__Experts__V1__Expert *expert, const struct score_part *scored,
		      const struct query *query, struct index *index)
{
	part_msg *part = grow_new(1, sizeof(*part));
	struct source source;

	lyceum__experts__v1__part__init(part);
	describe(&source, expert, scored);
	part->points = scored->points;
	part->field = copy(source.field);
	part->evidence_id = copy(source.id);
	part->evidence_title = copy(source.title);
	find_words(part, &source, scored->field == INDEX_NAME, query, index);
	part->text = sentence(part, &source);
	return part;
}

static part_msg *sum_up(const struct score_parts *parts, size_t from)
{
	part_msg *part = grow_new(1, sizeof(*part));
	char text[80];

	lyceum__experts__v1__part__init(part);
	for (size_t i = from; i < parts->count; i++)
		part->points += parts->parts[i].points;
	snprintf(text, sizeof(text), "%zu more that match", parts->count - from);
	part->field = copy("more");
	part->text = copy(text);
	return part;
}

void explain(Lyceum__Experts__V1__Hit *hit, const Lyceum__Experts__V1__Expert *expert,
	     const struct score_parts *parts, const struct query *query, struct index *index)
{
	size_t count = parts->count;

	if (count > EXPLAIN_MAX_PARTS + 1)
		count = EXPLAIN_MAX_PARTS;
	hit->parts = grow_new(count + 1, sizeof(hit->parts[0]));
	for (size_t i = 0; i < count; i++)
		hit->parts[hit->n_parts++] = tell(expert, &parts->parts[i], query, index);
	if (count < parts->count)
		hit->parts[hit->n_parts++] = sum_up(parts, count);
}

static char *evidence_line(const evidence_msg *evidence)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = grow_check(open_memstream(&text, &len));

	fprintf(to, "%s", kind_word(evidence->kind));
	if (evidence->year)
		fprintf(to, " %u", (unsigned)evidence->year);
	fprintf(to, " %s%s%s", evidence->ref, evidence->title[0] ? ": " : "", evidence->title);
	fclose(to);
	return grow_check(text);
}

char **explain_evidence(const Lyceum__Experts__V1__Expert *expert)
{
	char **lines = grow_new(expert->n_evidence, sizeof(*lines));

	for (size_t i = 0; i < expert->n_evidence; i++)
		lines[i] = evidence_line(expert->evidence[i]);
	return lines;
}
