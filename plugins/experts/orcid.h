/* ORCID iDs: 0000-0002-1825-0097, the last character a check digit (ISO 7064, MOD 11-2). */
#ifndef EXPERTS_ORCID_H
#define EXPERTS_ORCID_H

#define ORCID_SIZE 20

enum orcid_verdict { ORCID_OK = 0, ORCID_SHAPE, ORCID_CHECK };

/* Reads an iD with or without an orcid.org address in front, with or without hyphens. `to` gets the
 * usual form, unless the verdict says that it does not look like one or that the check digit is
 * wrong. */
enum orcid_verdict orcid_read(const char *text, char to[ORCID_SIZE]);

#endif
