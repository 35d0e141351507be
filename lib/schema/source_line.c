/* Walks a file's SourceCodeInfo on the wire bytes: it is asked for once per fault that is shown. */
#include "schema/source_line.h"

#include "base/pb.h"

/* Of FileDescriptorProto, SourceCodeInfo and its Location. */
enum { FILE_SOURCE_INFO = 9, INFO_LOCATION = 1, LOCATION_PATH = 1, LOCATION_SPAN = 2 };

/* The first number of a Location's span is the line from 0; 0 when it is not that path. */
static unsigned line_at(struct span location, struct span path)
{
	struct pb_reader reader = pb_reader_of(location);
	struct pb_field field;
	struct span at = {0};
	struct span place = {0};
	while (pb_read_field(&reader, &field)) {
		if (field.number == LOCATION_PATH)
			at = field.bytes;
		else if (field.number == LOCATION_SPAN)
			place = field.bytes;
	}
	uint64_t line;
	struct pb_reader numbers = pb_reader_of(place);
	if (reader.has_failed || !span_equal(at, path) || !pb_read_varint(&numbers, &line) ||
	    line > 100000000)
		return 0;
	return (unsigned)line + 1;
}

unsigned source_line(const struct set_file *file, const struct set_path *path)
{
	struct span wanted = span_of(path->bytes, path->len);
	struct pb_reader reader = pb_reader_of(file->proto);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number != FILE_SOURCE_INFO || field.wire != PB_LEN)
			continue;
		struct pb_reader inner = pb_reader_of(field.bytes);
		struct pb_field location;
		while (pb_read_field(&inner, &location)) {
			unsigned line = location.number == INFO_LOCATION
						? line_at(location.bytes, wanted)
						: 0;
			if (line > 0)
				return line;
		}
	}
	return 0;
}
