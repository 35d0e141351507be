/* Writes the mails that are due: finds the address, at this node only, and keeps the notes. */
#ifndef CONVENING_WRITER_H
#define CONVENING_WRITER_H

#include "convening.h"

/* Hooks of the post. */
enum lyc_status writer_note(struct convening *state, const struct outbox_mail *mail,
			    uint64_t ticket);
void writer_write(struct convening *state, const struct outbox_mail *mail);
/* The record of a note; its strings borrow from both. */
void writer_fill(const struct convening *state, const struct outbox_mail *mail,
		 mail_note_msg *ret_note, label_msg *ret_label);

#endif
