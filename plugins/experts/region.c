/*
 * One table. Names are compared folded, so "Yorkshire & the Humber" needs only its words. ITL codes
 * of a lower level ("TLL12") belong to the region whose code they begin with. Sources: ISO
 * 3166-2:GB, ONS International Territorial Level (2021) and area codes (E12, W92, S92, N92).
 */
#include "region.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "words.h"

struct region {
	const char *name;
	/* Folded; ended by NULL. */
	const char *aliases[12];
	bool is_in_england;
	/* The last letter of TL? and UK?, 0: none. */
	char itl;
};

static const struct region regions[] = {
	{"England", {"england", "gb eng", "eng", "e92000001", "lloegr"}, false, 0},
	{"Scotland", {"scotland", "gb sct", "sct", "s92000003", "alba", "yr alban"}, false, 'M'},
	{"Wales", {"wales", "cymru", "gb wls", "gb cym", "wls", "w92000004"}, false, 'L'},
	{"Northern Ireland",
	 {"northern ireland", "gb nir", "nir", "n92000002", "ni", "n ireland", "ulster"},
	 false,
	 'N'},
	{"North East",
	 {"north east", "northeast", "north east england", "north east of england", "e12000001"},
	 true,
	 'C'},
	{"North West",
	 {"north west", "northwest", "north west england", "north west of england", "e12000002"},
	 true,
	 'D'},
	{"Yorkshire and The Humber",
	 {"yorkshire and the humber", "yorkshire the humber", "yorkshire and humber",
	  "yorkshire and humberside", "yorkshire humber", "yorkshire", "e12000003"},
	 true,
	 'E'},
	{"East Midlands",
	 {"east midlands", "east midlands england", "e midlands", "e12000004"},
	 true,
	 'F'},
	{"West Midlands",
	 {"west midlands", "west midlands england", "w midlands", "e12000005"},
	 true,
	 'G'},
	{"East of England",
	 {"east of england", "east england", "east anglia", "eastern", "eastern england", "east",
	  "e12000006"},
	 true,
	 'H'},
	{"London", {"london", "greater london", "gb lnd", "llundain", "e12000007"}, true, 'I'},
	{"South East",
	 {"south east", "southeast", "south east england", "south east of england", "e12000008"},
	 true,
	 'J'},
	{"South West",
	 {"south west", "southwest", "south west england", "south west of england", "e12000009"},
	 true,
	 'K'},
	{"Outside UK",
	 {"outside uk", "outside the uk", "outside united kingdom", "outside the united kingdom",
	  "non uk", "overseas"},
	 false,
	 0},
	{"United Kingdom", {"united kingdom", "uk", "gb", "gbr", "great britain"}, false, 0},
};

static const char *const unknown[] = {"unknown", "not known",     "n a",         "na",
				      "none",    "not specified", "unspecified", "null",
				      "tbc",     "not applicable"};

static const struct region *find_code(const char *folded)
{
	bool is_itl = strncmp(folded, "tl", 2) == 0 || strncmp(folded, "uk", 2) == 0;
	size_t len = strlen(folded);

	if (!is_itl || len < 3 || len > 5)
		return NULL;
	for (size_t i = 3; i < len; i++) {
		if (!isalnum((unsigned char)folded[i]))
			return NULL;
	}
	for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
		if (regions[i].itl && tolower(regions[i].itl) == folded[2])
			return &regions[i];
	}
	return NULL;
}

static const struct region *find(const char *folded)
{
	for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
		for (size_t j = 0; regions[i].aliases[j]; j++) {
			if (strcmp(regions[i].aliases[j], folded) == 0)
				return &regions[i];
		}
	}
	return find_code(folded);
}

const char *region_name(const char *text)
{
	char folded[200];

	words_fold(text, folded, sizeof(folded));
	if (!folded[0])
		return "";
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		if (strcmp(unknown[i], folded) == 0)
			return "";
	}
	const struct region *region = find(folded);
	return region ? region->name : NULL;
}

bool region_is_within(const char *region, const char *wanted)
{
	char one[400], two[400];

	words_fold(wanted, two, sizeof(two));
	words_fold(region, one, sizeof(one));
	const struct region *within = find(two), *held = find(one);
	if (!within || !held)
		return !within && !held && strcmp(one, two) == 0;
	if (within == held)
		return true;
	if (strcmp(within->name, "England") == 0)
		return held->is_in_england;
	return strcmp(within->name, "United Kingdom") == 0 && strcmp(held->name, "Outside UK") != 0;
}

const char *region_at(size_t at)
{
	return at < sizeof(regions) / sizeof(regions[0]) ? regions[at].name : NULL;
}
