/* Writes the mails that are due: finds the address, at this node only, and keeps the notes. */
#ifndef CONVENING_WRITER_H
#define CONVENING_WRITER_H

#include "convening.h"

/* Hooks of the post. */
enum lyc_status writer_note(struct convening *state, const struct outbox_mail *mail,
			    uint64_t ticket);
void writer_write(struct convening *state, const struct outbox_mail *mail);

#endif
