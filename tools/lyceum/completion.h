/* What the shell's completion script asks. */
#ifndef LYC_TOOLS_COMPLETION_H
#define LYC_TOOLS_COMPLETION_H

#include "session.h"

/* Print the words that may stand where the last of argv stands, one a line. */
int completion_answer(struct session *session, int argc, char **argv);

#endif
