/* What the loaded schemas offer as commands: the methods with a verb, by noun. */
#ifndef LYC_TOOLS_NOUN_H
#define LYC_TOOLS_NOUN_H

#include "session.h"

/* Call fn for each verb of a noun (NULL: of all), once each; its schema is the one that defines the
 * service best. */
typedef void (*noun_verb_fn)(const struct schema_service *service,
			     const struct schema_method *method, void *arg);
void noun_each(const struct session *session, const char *noun, noun_verb_fn fn, void *arg);
/* "" for a verb that stands alone. */
const char *noun_of(const struct schema_service *service, const struct schema_method *method);
/* NULL when the noun has no such verb. Noun "" has the verbs that stand alone. */
const struct schema_method *noun_find(const struct session *session, const char *noun,
				      const char *verb);
/* The comment's first sentence, without its full stop. Appends. */
void noun_write_summary(const char *comment, struct buf *to);

#endif
