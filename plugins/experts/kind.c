/* From the schema's own names. */
#include "kind.h"

#include <ctype.h>
#include <string.h>

bool kind_write(Lyceum__Experts__V1__ExpertKind kind, char to[KIND_SIZE])
{
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
		&lyceum__experts__v1__expert_kind__descriptor, (int)kind);
	size_t len = 0;

	if (!value || value->value == 0)
		return false;
	for (; value->name[len] && len + 1 < KIND_SIZE; len++)
		to[len] = value->name[len] == '_' ? '-'
						  : (char)tolower((unsigned char)value->name[len]);
	to[len] = '\0';
	return true;
}

/* `word` is one of the parts between the hyphens of name. */
static bool has_part(const char *name, const char *word, size_t len)
{
	while (*name) {
		size_t part = strcspn(name, "-");
		if (part == len && memcmp(name, word, len) == 0)
			return true;
		name += part + (name[part] == '-');
	}
	return false;
}

Lyceum__Experts__V1__ExpertKind kind_find(const char *word)
{
	const ProtobufCEnumDescriptor *kinds = &lyceum__experts__v1__expert_kind__descriptor;
	size_t len = strlen(word);
	char name[KIND_SIZE];

	for (unsigned i = 0; i < kinds->n_values; i++) {
		Lyceum__Experts__V1__ExpertKind kind =
			(Lyceum__Experts__V1__ExpertKind)kinds->values[i].value;
		/* "ip" alone is a subject. */
		if (len < 5 || !kind_write(kind, name))
			continue;
		if (has_part(name, word, len) ||
		    (word[len - 1] == 's' && has_part(name, word, len - 1)))
			return kind;
	}
	return LYCEUM__EXPERTS__V1__EXPERT_KIND__EXPERT_KIND_UNSPECIFIED;
}
