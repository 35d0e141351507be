/* Walks the services of all loaded schemas; a service that several define counts once. */
#include "noun.h"

#include <string.h>

const char *noun_of(const struct schema_service *service, const struct schema_method *method)
{
	return method->command.is_bare ? "" : service->noun;
}

void noun_each(const struct session *session, const char *noun, noun_verb_fn fn, void *arg)
{
	for (size_t i = 0; i < session->schema_count; i++) {
		const struct schema *schema = session->schemas[i];
		for (size_t j = 0; j < schema_service_count(schema); j++) {
			const struct schema_service *service = schema_service_at(schema, j);
			if (session_find_service(session, service->full_name) != service)
				continue;
			for (size_t k = 0; k < service->method_count; k++) {
				const struct schema_method *method = &service->methods[k];
				if (*method->command.verb &&
				    (!noun || strcmp(noun_of(service, method), noun) == 0))
					fn(service, method, arg);
			}
		}
	}
}

struct wanted {
	const char *verb;
	const struct schema_method *found;
};

static void compare(const struct schema_service *service, const struct schema_method *method,
		    void *arg)
{
	struct wanted *wanted = arg;
	(void)service;
	if (!wanted->found && strcmp(method->command.verb, wanted->verb) == 0)
		wanted->found = method;
}

const struct schema_method *noun_find(const struct session *session, const char *noun,
				      const char *verb)
{
	struct wanted wanted = {.verb = verb};
	noun_each(session, noun, compare, &wanted);
	return wanted.found;
}

void noun_write_summary(const char *comment, struct buf *to)
{
	while (*comment == ' ' || *comment == '\n')
		comment++;
	size_t len = strcspn(comment, "\n");
	const char *stop = strstr(comment, ". ");
	if (stop && (size_t)(stop - comment) < len)
		len = (size_t)(stop - comment);
	while (len > 0 && (comment[len - 1] == '.' || comment[len - 1] == ' '))
		len--;
	buf_add(to, comment, len);
}
