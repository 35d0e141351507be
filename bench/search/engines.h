/*
 * The engines that are compared, each filled with the same synthetic people and asked the same
 * questions: the best ten of two frequent words by OR. All rank by the same words; only ours also
 * ranks by single works and explains, and, where it is asked to, counts facets and judges labels.
 */
#ifndef LYC_BENCH_ENGINES_H
#define LYC_BENCH_ENGINES_H

#include <stdbool.h>
#include <stddef.h>

#define ENGINE_QUESTIONS 200

#ifdef __cplusplus
extern "C" {
#endif

enum engine_kind { ENGINE_XAPIAN, ENGINE_SQLITE, ENGINE_POSTINGS, ENGINE_OURS, ENGINE_KINDS };

struct engine;

/* What an engine weighs: it holds the records, too, in our case only. */
struct engine_facts {
	double build_s;
	double bytes;
};

/* Fill one with `count` people. `folder` is for what lies on a disk. NULL: it failed and has said
 * why on stderr. */
struct engine *engine_build(enum engine_kind kind, size_t count, const char *folder,
			    struct engine_facts *ret_facts);
void engine_free(struct engine *engine);
/* One of ENGINE_QUESTIONS. `with_all`: with facets and labels, where the engine knows them. May be
 * asked in a child of the process that has filled it. False: nothing was found, and everybody finds
 * something. */
bool engine_ask(struct engine *engine, size_t question, bool with_all);

#ifdef __cplusplus
}
#endif

#endif
