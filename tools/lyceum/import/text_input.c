/*
 * Reads a list as people have it: plain or gzip, in the encodings that spreadsheets write. Which
 * one is decided by the bytes of the whole file, never by its name. Reading rows is left to
 * sheet_read.c.
 */
#include "import/text_input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/error.h"
#include "base/utf8.h"

/* Bytes 0x80 to 0x9F; the five that it leaves undefined stay control characters, as browsers do. */
static const uint16_t windows_1252[32] = {
	0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
	0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
	0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};

static enum lyc_status no_memory(struct lyc_error *error)
{
	return error_set(error, LYC_RESOURCE_EXHAUSTED, "there is no memory for this file");
}

static enum lyc_status too_large(struct lyc_error *error)
{
	return error_set(error, LYC_RESOURCE_EXHAUSTED,
			 "the file is larger than 4 GiB; import it in parts");
}

static enum lyc_status read_all(int fd, struct buf *to, struct lyc_error *error)
{
	struct stat info;
	if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
		if ((uint64_t)info.st_size > TEXT_INPUT_MAX)
			return too_large(error);
		if (!buf_reserve(to, (size_t)info.st_size + 1))
			return no_memory(error);
	}
	for (;;) {
		if (to->len > TEXT_INPUT_MAX)
			return too_large(error);
		if (to->cap - to->len == 0 && !buf_reserve(to, 64 * 1024))
			return no_memory(error);
		ssize_t got = read(fd, to->data + to->len, to->cap - to->len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set(error, LYC_INVALID_ARGUMENT, "cannot be read: %s",
					 strerror(errno));
		if (got == 0)
			return LYC_OK;
		to->len += (size_t)got;
	}
}

/* One gzip member after another, as gzip itself reads them; zeros at the end are padding. */
static enum lyc_status unpack(struct span packed, struct buf *to, struct lyc_error *error)
{
	enum lyc_status status = LYC_OK;
	z_stream zip = {0};
	if (inflateInit2(&zip, 15 + 16) != Z_OK)
		return no_memory(error);
	const uint8_t *end = packed.data + packed.len;
	zip.next_in = (uint8_t *)(uintptr_t)packed.data;
	int result = Z_OK;
	for (;;) {
		size_t left = (size_t)(end - zip.next_in);
		zip.avail_in = left > 1 << 30 ? 1 << 30 : (unsigned)left;
		if (!buf_reserve(to, 256 * 1024)) {
			status = no_memory(error);
			break;
		}
		size_t room = to->cap - to->len;
		zip.avail_out = room > 1 << 30 ? 1 << 30 : (unsigned)room;
		unsigned before = zip.avail_out;
		zip.next_out = to->data + to->len;
		result = inflate(&zip, Z_NO_FLUSH);
		to->len += before - zip.avail_out;
		if (to->len > TEXT_INPUT_MAX) {
			status = too_large(error);
			break;
		}
		if (result == Z_STREAM_END) {
			if (zip.next_in == end || *zip.next_in == 0)
				break;
			if (inflateReset(&zip) != Z_OK) {
				status = no_memory(error);
				break;
			}
			continue;
		}
		if (result != Z_OK) {
			bool is_short = result == Z_BUF_ERROR && zip.next_in == end;
			status = error_set(error, LYC_INVALID_ARGUMENT,
					   is_short ? "the gzip file is cut off at its end"
						    : "the gzip file is damaged");
			break;
		}
	}
	inflateEnd(&zip);
	return status;
}

static void add_code(struct buf *to, uint32_t code)
{
	uint8_t bytes[4];
	buf_add(to, bytes, utf8_put(bytes, code));
}

static void from_utf16(struct span bytes, bool is_big, struct buf *to)
{
	size_t high = is_big ? 0 : 1;
	size_t low = is_big ? 1 : 0;
	for (size_t i = 0; i + 1 < bytes.len; i += 2) {
		const uint8_t *at = bytes.data + i;
		uint32_t code = (uint32_t)at[high] << 8 | at[low];
		if (code >= 0xD800 && code < 0xDC00 && i + 3 < bytes.len) {
			uint32_t next = (uint32_t)at[2 + high] << 8 | at[2 + low];
			if (next >= 0xDC00 && next < 0xE000) {
				code = 0x10000 + ((code - 0xD800) << 10) + (next - 0xDC00);
				i += 2;
			}
		}
		if (code >= 0xD800 && code < 0xE000)
			code = 0xFFFD;
		add_code(to, code);
	}
}

static void from_windows_1252(struct span bytes, struct buf *to)
{
	for (size_t i = 0; i < bytes.len; i++) {
		uint8_t byte = bytes.data[i];
		if (byte < 0x80)
			buf_add_byte(to, byte);
		else
			add_code(to, byte < 0xA0 ? windows_1252[byte - 0x80] : byte);
	}
}

/* Not valid UTF-8: is it UTF-8 with a few broken bytes? Text in Windows-1252 has hardly a valid
 * sequence of several bytes; damaged UTF-8 has many more than broken bytes. */
static bool is_damaged_utf8(struct span bytes)
{
	size_t good_count = 0;
	size_t bad_count = 0;
	const uint8_t *end = bytes.data + bytes.len;
	for (const uint8_t *at = bytes.data; at < end;) {
		if (*at < 0x80) {
			at++;
			continue;
		}
		const uint8_t *start = at;
		(void)utf8_next(&at, end);
		if (at - start > 1)
			good_count++;
		else
			bad_count++;
	}
	return good_count > 10 * bad_count;
}

static enum lyc_status refuse_workbook(struct span bytes, struct lyc_error *error)
{
	if (bytes.len >= 4 && memcmp(bytes.data, "PK\003\004", 4) == 0)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "is an Excel workbook or another zip archive; save the sheet as "
				 "CSV UTF-8 and import that");
	if (bytes.len >= 4 && memcmp(bytes.data, "\xD0\xCF\x11\xE0", 4) == 0)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "is an old Excel workbook; save the sheet as CSV UTF-8 and import "
				 "that");
	return LYC_OK;
}

/* Without a mark: text in UTF-16 begins with a letter of the header, whose other byte is zero. */
static const char *guess_utf16(struct span bytes)
{
	const uint8_t *at = bytes.data;
	if (bytes.len < 4)
		return NULL;
	if (at[0] == 0xFF && at[1] == 0xFE)
		return "UTF-16LE";
	if (at[0] == 0xFE && at[1] == 0xFF)
		return "UTF-16BE";
	if (at[0] && !at[1] && at[2] && !at[3])
		return "UTF-16LE";
	if (!at[0] && at[1] && !at[2] && at[3])
		return "UTF-16BE";
	return NULL;
}

enum lyc_status text_input_decode(struct buf *bytes, struct text_input *ret_input,
				  struct lyc_error *error)
{
	struct text_input input = {.encoding = "UTF-8", .owned = *bytes};
	struct buf made = {0};
	*bytes = (struct buf){0};
	enum lyc_status status = LYC_OK;

	if (input.owned.len >= 2 && memcmp(input.owned.data, "\x1F\x8B", 2) == 0) {
		status = unpack(span_of(input.owned.data, input.owned.len), &made, error);
		if (status)
			goto out;
		buf_fini(&input.owned);
		input.owned = made;
		made = (struct buf){0};
		input.is_gzip = true;
	}
	input.text = span_of(input.owned.data, input.owned.len);
	status = refuse_workbook(input.text, error);
	if (status)
		goto out;

	const char *utf16 = guess_utf16(input.text);
	if (utf16) {
		input.encoding = utf16;
		from_utf16(input.text, strcmp(utf16, "UTF-16BE") == 0, &made);
	} else if (!utf8_check(input.text.data, input.text.len, NULL)) {
		input.is_damaged = is_damaged_utf8(input.text);
		if (!input.is_damaged) {
			input.encoding = "Windows-1252";
			from_windows_1252(input.text, &made);
		}
	}
	if (made.has_failed) {
		status = no_memory(error);
		goto out;
	}
	if (made.data) {
		buf_fini(&input.owned);
		input.owned = made;
		made = (struct buf){0};
		input.text = span_of(input.owned.data, input.owned.len);
	}
	if (input.text.len >= 3 && memcmp(input.text.data, "\xEF\xBB\xBF", 3) == 0)
		input.text = span_of(input.text.data + 3, input.text.len - 3);
	*ret_input = input;
	input.owned = (struct buf){0};
out:
	buf_fini(&made);
	buf_fini(&input.owned);
	return status;
}

enum lyc_status text_input_open(const char *path, struct text_input *ret_input,
				struct lyc_error *error)
{
	struct buf bytes = {0};
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set(error, errno == ENOENT ? LYC_NOT_FOUND : LYC_INVALID_ARGUMENT,
				 "cannot be opened: %s", strerror(errno));
	enum lyc_status status = read_all(fd, &bytes, error);
	if (!is_stdin)
		close(fd);
	if (!status)
		status = text_input_decode(&bytes, ret_input, error);
	buf_fini(&bytes);
	return status;
}

void text_input_fini(struct text_input *input)
{
	buf_fini(&input->owned);
	*input = (struct text_input){0};
}
