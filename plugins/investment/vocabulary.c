/* A table. Regions are ISO 3166-2 where it has them; the English ones are the statistical regions
 * below GB-ENG. */
#include "vocabulary.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const struct word words[] = {
	{WORD_REGION, "GB", "United Kingdom;UK;Great Britain;whole UK"},
	{WORD_REGION, "GB-ENG", "England"},
	{WORD_REGION, "GB-ENG-NE", "North East;North East England"},
	{WORD_REGION, "GB-ENG-NW", "North West;North West England"},
	{WORD_REGION, "GB-ENG-YH", "Yorkshire and The Humber;Yorkshire;Leeds City Region"},
	{WORD_REGION, "GB-ENG-MID", "Midlands;the Midlands"},
	{WORD_REGION, "GB-ENG-MID-E", "East Midlands;Nottingham"},
	{WORD_REGION, "GB-ENG-MID-W", "West Midlands;Birmingham"},
	{WORD_REGION, "GB-ENG-EE", "East of England;East Anglia;Cambridge"},
	{WORD_REGION, "GB-ENG-LON", "London;Greater London"},
	{WORD_REGION, "GB-ENG-SE", "South East;South East England;Oxford"},
	{WORD_REGION, "GB-ENG-SW", "South West;South West England;Bristol"},
	{WORD_REGION, "GB-WLS", "Wales;Cymru;GB-CYM"},
	{WORD_REGION, "GB-SCT", "Scotland"},
	{WORD_REGION, "GB-NIR", "Northern Ireland"},
	{WORD_REGION, "abroad", "overseas;international;outside the UK"},
	{WORD_SECTOR, "therapeutics", "drugs;drug discovery;biopharma;biotech;biotechnology"},
	{WORD_SECTOR, "cell and gene therapy",
	 "cell therapy;gene therapy;atmp;regenerative medicine"},
	{WORD_SECTOR, "diagnostics", "in vitro diagnostics;ivd;biomarkers"},
	{WORD_SECTOR, "medical devices", "medtech;devices;medical technology"},
	{WORD_SECTOR, "digital health", "health software;healthtech;health it"},
	{WORD_SECTOR, "research tools", "tools;reagents;laboratory equipment;instrumentation"},
	{WORD_SECTOR, "biomaterials", "materials"},
	{WORD_SECTOR, "genomics", "sequencing"},
	{WORD_SECTOR, "vaccines", "vaccine"},
	{WORD_SECTOR, "manufacturing", "biomanufacturing;cdmo;bioprocessing"},
	{WORD_SECTOR, "agriculture and food", "agritech;food;agriculture"},
	{WORD_SECTOR, "industrial biotechnology", "synthetic biology;engineering biology"},
	{WORD_SECTOR, "animal health", "veterinary"},
	{WORD_SECTOR, "services", "cro;consulting"},
	{WORD_SECTOR, "other", "any other"},
	{WORD_INSTRUMENT, "equity", "shares"},
	{WORD_INSTRUMENT, "convertible", "convertible loan;convertible note;advance subscription"},
	{WORD_INSTRUMENT, "loan", "debt"},
	{WORD_INSTRUMENT, "grant", "match funding"},
	{WORD_INSTRUMENT, "seis", "seed enterprise investment scheme"},
	{WORD_INSTRUMENT, "eis", "enterprise investment scheme"},
	{WORD_TRAIT, "animal testing", "animal studies"},
	{WORD_TRAIT, "embryo research", "human embryos"},
	{WORD_TRAIT, "genetic modification", "gmo;gene editing"},
	{WORD_TRAIT, "tobacco", "nicotine"},
	{WORD_TRAIT, "alcohol", "spirits"},
	{WORD_TRAIT, "defence", "military;defense"},
	{WORD_TRAIT, "fossil fuels", "oil and gas"},
	{WORD_TRAIT, "strategic investor", "corporate;corporate venture;industry investor"},
	{WORD_TRAIT, "overseas money", "foreign investor"},
	{WORD_NEED, "regulatory advice", "regulatory;mhra"},
	{WORD_NEED, "clinical trials", "trial sites;clinical"},
	{WORD_NEED, "manufacturing partner", "scale-up"},
	{WORD_NEED, "first customers", "customers;market access"},
	{WORD_NEED, "board member", "chair;non-executive director"},
	{WORD_NEED, "team", "hiring;management"},
	{WORD_NEED, "follow-on money", "follow-on"},
	{WORD_NEED, "laboratory space", "laboratories;lab space"},
	{WORD_NEED, "intellectual property advice", "ip advice;patents"},
	{WORD_NEED, "nhs access", "nhs;health service"},
	{WORD_REGION, NULL, NULL},
};

const struct word *vocabulary(void)
{
	return words;
}

const char *vocabulary_kind_name(enum word_kind kind)
{
	static const char *const names[] = {"region", "sector", "instrument", "trait", "need"};

	return names[kind];
}

static bool is_same(const char *name, size_t name_len, const char *text, size_t len)
{
	return name_len == len && strncasecmp(name, text, len) == 0;
}

static const char *find(enum word_kind kind, const char *text, size_t len)
{
	for (const struct word *word = words; word->word; word++) {
		if (word->kind != kind)
			continue;
		if (is_same(word->word, strlen(word->word), text, len))
			return word->word;
		for (const char *at = word->also; *at;) {
			size_t name_len = strcspn(at, ";");
			if (is_same(at, name_len, text, len))
				return word->word;
			at += name_len + (at[name_len] == ';');
		}
	}
	return NULL;
}

const char *vocabulary_find(enum word_kind kind, const char *text)
{
	return find(kind, text, strlen(text));
}

char *vocabulary_hint(struct pad *pad, enum word_kind kind)
{
	char *list[40];
	size_t count = 0;

	for (const struct word *word = words; word->word && count < 40; word++) {
		if (word->kind == kind)
			list[count++] =
				kind == WORD_REGION
					? pad_copy_bytes(pad, word->also, strcspn(word->also, ";"))
					: pad_copy(pad, word->word);
	}
	char *all = pad_join(pad, list, count, ", ");
	return strlen(all) > 120 ? pad_print(pad, "%.110s...: see `lyceum invest vocabulary`", all)
				 : all;
}

char *vocabulary_normal(struct pad *pad, enum word_kind kind, const char *text)
{
	size_t len = strcspn(text, "/");
	size_t front = len;

	while (front > 0 && text[front - 1] == ' ')
		front--;
	const char *word = find(kind, text, front);
	if (!word)
		return NULL;
	const char *finer = text[len] ? text + len + 1 + strspn(text + len + 1, " ") : "";
	char *normal = *finer ? pad_print(pad, "%s/%s", word, finer) : pad_copy(pad, word);
	for (char *at = normal + strlen(word); *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return normal;
}

char *vocabulary_coarse(struct pad *pad, const char *normal)
{
	return pad_copy_bytes(pad, normal, strcspn(normal, "/"));
}

static bool is_letter(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

static bool has_words(const char *text, const char *name, size_t len)
{
	for (const char *at = text; *at; at++) {
		if (strncasecmp(at, name, len) == 0 && (at == text || !is_letter(at[-1])) &&
		    !is_letter(at[len]))
			return true;
	}
	return false;
}

bool vocabulary_is_mentioned(const struct word *word, const char *lower_text)
{
	if (has_words(lower_text, word->word, strlen(word->word)))
		return true;
	for (const char *at = word->also; *at;) {
		size_t len = strcspn(at, ";");
		if (has_words(lower_text, at, len))
			return true;
		at += len + (at[len] == ';');
	}
	return false;
}
