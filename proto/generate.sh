#!/bin/sh
# Generate a plugin's code for the build: generate.sh PROTOC PROTOC_C PROTO_ROOT GOOGLE_ROOT OUT_ROOT PREFIX FILE...
# FILEs are relative to PROTO_ROOT. Writes OUT_ROOT/<file>.pb-c.{c,h}, and PREFIX_proto.c and .h, which include all of them,
# and PREFIX.fds, the FileDescriptorSet with imports and source info.
set -eu
protoc=$1 protoc_c=$2 proto_root=$3 google_root=$4 out_root=$5 prefix=$6
shift 6
"$protoc_c" -I "$proto_root" -I "$google_root" --c_out="$out_root" $(printf "$proto_root/%s " "$@")
"$protoc" -I "$proto_root" -I "$google_root" --include_imports --include_source_info --descriptor_set_out="$prefix.fds" "$@"
for kind in c h; do
	for file in "$@"; do
		printf '#include "%s.pb-c.%s"\n' "${file%.proto}" "$kind"
	done >"${prefix}_proto.$kind"
done
