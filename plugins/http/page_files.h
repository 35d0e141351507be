/* The files of page/, put into the plugin by the build (embed_page.c): one .so serves them. */
#ifndef LYC_HTTP_PAGE_FILES_H
#define LYC_HTTP_PAGE_FILES_H

#include <stddef.h>

struct page_file {
	/* "/index.html". */
	const char *path;
	/* With its quotes. */
	const char *etag;
	const unsigned char *bytes;
	size_t len;
	const unsigned char *gzipped;
	size_t gzipped_len;
};

/* In order of path. */
extern const struct page_file page_files[];
extern const size_t page_file_count;

#endif
