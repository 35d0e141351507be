/* The words for what a plugin reaches. */
#include "client/reach.h"

#include <string.h>

static const struct {
	const char *word;
	enum reach_kind kind;
	bool has_path;
} words[] = {
	{"connect tcp", REACH_CONNECT, false},
	{"listen tcp", REACH_LISTEN, false},
	{"read config ", REACH_READ_CONFIG, false},
	{"read ", REACH_READ, true},
	{"write ", REACH_WRITE, true},
	{"run ", REACH_RUN, true},
};

bool reach_parse(const char *text, struct reach *ret_reach)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i].word);
		if (strncmp(text, words[i].word, len) != 0)
			continue;
		const char *what = text + len;
		bool takes_none = words[i].word[len - 1] != ' ';
		if (takes_none ? what[0] != '\0' : what[0] == '\0')
			return false;
		if (words[i].has_path && what[0] != '/')
			return false;
		*ret_reach = (struct reach){words[i].kind, takes_none ? NULL : what};
		return true;
	}
	return false;
}
