/*
 * Names of people as lists have them, brought into one form: "Okafor, Ada" and "Dr Ada  Okafor"
 * both show as "Ada Okafor", family name "Okafor". What a person's name is stays a guess; given and
 * family names that a list says apart are taken as they are.
 */
#ifndef EXPERTS_NAME_H
#define EXPERTS_NAME_H

#include <stdbool.h>

#define NAME_SIZE 804

struct name {
	char display[NAME_SIZE];
	char family[NAME_SIZE];
	char given[NAME_SIZE];
};

/* Any of the three may be empty. All are empty in ret_name when all were. */
void name_arrange(const char *display, const char *family, const char *given,
		  struct name *ret_name);
/* Stands for nobody: "Unknown Unknown Unknown", "N/A", "TBC". Empty text, too. */
bool name_is_placeholder(const char *display);

#endif
