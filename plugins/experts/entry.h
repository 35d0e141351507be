/*
 * An expert as somebody enters it, brought into the form that the directory keeps: one form of
 * name, ORCID iD and region, an id, evidence with references; and laid over what is held already.
 * Pure functions on messages: no log, no view.
 */
#ifndef EXPERTS_ENTRY_H
#define EXPERTS_ENTRY_H

#include <stdbool.h>

#include <lyceum/experts/v1/experts.pb-c.h>
#include <lyceum/status.h>

#define ENTRY_MAX_EVIDENCE 2000
#define ENTRY_NOTE_SIZE 200

/* A copy; freed with lyceum__experts__v1__expert__free_unpacked. NULL stays NULL. */
Lyceum__Experts__V1__Expert *entry_copy(const Lyceum__Experts__V1__Expert *expert);
/* Bring an entry of the node `home` into the directory's form, in place; `expert` was unpacked or
 * copied. Gives it an id when it has none. A thing worth telling goes into note, which is ""
 * otherwise. INVALID_ARGUMENT: error names the field; FAILED_PRECONDITION: the record's home is
 * another node. */
LYC_MUST_USE enum lyc_status entry_normalise(Lyceum__Experts__V1__Expert *expert, const char *home,
					     char note[ENTRY_NOTE_SIZE], struct lyc_error *error);
/* `entry` laid over `held`, which may be NULL: what the entry says replaces, what it leaves out
 * stays, lists are joined. Both are normal; the result is complete: labelled, with a name. */
LYC_MUST_USE enum lyc_status entry_merge(const Lyceum__Experts__V1__Expert *held,
					 const Lyceum__Experts__V1__Expert *entry,
					 Lyceum__Experts__V1__Expert **ret_expert,
					 struct lyc_error *error);
bool entry_is_equal(const Lyceum__Experts__V1__Expert *one, const Lyceum__Experts__V1__Expert *two);
/* The id of somebody with this ORCID iD, in its usual form. */
void entry_id_of_orcid(const char *orcid, char to[20]);

#endif
