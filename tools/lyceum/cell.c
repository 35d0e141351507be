/* Widths of text on a terminal, and cutting and cleaning it. */
#include "cell.h"

#include <locale.h>
#include <stdbool.h>
#include <string.h>
#include <wchar.h>

#include "base/utf8.h"

void cell_start(void)
{
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		setlocale(LC_CTYPE, "");
}

static size_t width_of(uint32_t code)
{
	if (code < 0x20 || (code >= 0x7f && code < 0xa0))
		return 0;
	if (code < 0x300)
		return 1;
	int width = wcwidth((wchar_t)code);
	return width < 0 ? 1 : (size_t)width;
}

size_t cell_width(const char *text, size_t len)
{
	const uint8_t *at = (const uint8_t *)text;
	const uint8_t *end = span_end(span_of(text, len));
	size_t width = 0;
	while (at < end)
		width += width_of(utf8_next(&at, end));
	return width;
}

/* Also the marks that turn the direction of what follows: they hide as well as escapes do. */
static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x202a && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069);
}

void cell_clean(struct buf *to, const char *text, size_t len)
{
	const uint8_t *at = (const uint8_t *)text;
	const uint8_t *end = span_end(span_of(text, len));
	bool was_blank = false;
	while (at < end) {
		uint32_t code = utf8_next(&at, end);
		if (code == '\n' || code == '\r' || code == '\t') {
			if (!was_blank)
				buf_add_byte(to, ' ');
			was_blank = true;
			continue;
		}
		was_blank = false;
		uint8_t bytes[4];
		if (is_control(code))
			buf_add_byte(to, '?');
		else
			buf_add(to, bytes, utf8_put(bytes, code));
	}
}

void cell_cut(struct buf *to, const char *text, size_t len, size_t width)
{
	if (cell_width(text, len) <= width) {
		buf_add(to, text, len);
		return;
	}
	const uint8_t *at = (const uint8_t *)text;
	const uint8_t *end = span_end(span_of(text, len));
	size_t used = 0;
	while (at < end) {
		const uint8_t *before = at;
		size_t more = width_of(utf8_next(&at, end));
		if (used + more + 1 > width) {
			at = before;
			break;
		}
		used += more;
	}
	buf_add(to, text, (size_t)(at - (const uint8_t *)text));
	if (width > 0)
		buf_add_text(to, "…");
}
