/* Our expert index and search, as the plugin uses them. */
#include <cstdint>
#include <stdexcept>

#include <lyceum/experts/v1/experts.pb-c.h>
#include <lyceum/experts/v1/search.pb-c.h>

#include "search/people.h"

extern "C" {
#include "search.h"
#include "view.h"
}

namespace bench
{

namespace
{

char *text_of(const std::string &from)
{
	return const_cast<char *>(from.c_str());
}

std::vector<uint8_t> pack(const person &one)
{
	Lyceum__Experts__V1__Expert expert = LYCEUM__EXPERTS__V1__EXPERT__INIT;
	Lyceum__Experts__V1__PersonName name = LYCEUM__EXPERTS__V1__PERSON_NAME__INIT;
	Lyceum__Experts__V1__Organisation organisation = LYCEUM__EXPERTS__V1__ORGANISATION__INIT;
	Lyceum__V1__Label label = LYCEUM__V1__LABEL__INIT;
	std::vector<Lyceum__Experts__V1__Evidence> items(one.titles.size());
	std::vector<Lyceum__Experts__V1__Evidence *> pointers;
	std::string home = one.is_private ? "elsewhere" : "here", ref = "G1";

	for (size_t i = 0; i < items.size(); i++) {
		lyceum__experts__v1__evidence__init(&items[i]);
		items[i].ref = text_of(ref);
		items[i].title = text_of(one.titles[i]);
		items[i].kind = LYCEUM__EXPERTS__V1__EVIDENCE__KIND__GRANT;
		pointers.push_back(&items[i]);
	}
	name.display = text_of(one.name);
	organisation.organisation_name = text_of(one.organisation);
	label.home = text_of(home);
	label.visibility =
		one.is_private ? LYCEUM__V1__VISIBILITY__PRIVATE : LYCEUM__V1__VISIBILITY__MEMBERS;
	expert.home = text_of(home);
	expert.id = text_of(one.id);
	expert.kind = static_cast<Lyceum__Experts__V1__ExpertKind>(one.kind);
	expert.name = &name;
	expert.organisation = &organisation;
	expert.region = text_of(one.region);
	expert.label = &label;
	expert.evidence = pointers.data();
	expert.n_evidence = pointers.size();
	std::vector<uint8_t> body(lyceum__experts__v1__expert__get_packed_size(&expert));
	lyceum__experts__v1__expert__pack(&expert, body.data());
	return body;
}

bool sees_all(void *, const Lyceum__V1__Label *)
{
	return true;
}

bool sees_open(void *, const Lyceum__V1__Label *label)
{
	return label->visibility == LYCEUM__V1__VISIBILITY__MEMBERS;
}

class ours : public base
{
      public:
	ours()
	{
		view_init(&view);
	}
	~ours() override
	{
		view_fini(&view);
	}

	void put(const person &one, size_t number) override
	{
		std::vector<uint8_t> body = pack(one);
		if (view_put(&view, body.data(), body.size(), number + 1) != LYC_OK)
			throw std::runtime_error("a record was refused");
	}

	double bytes() override
	{
		return static_cast<double>(index_memory(view.index) + people_memory(&view.people));
	}

	bool ask(const question &words, bool with_all) override
	{
		Lyceum__Experts__V1__FindRequest request = LYCEUM__EXPERTS__V1__FIND_REQUEST__INIT;
		std::string text = words[0] + " " + words[1];
		request.text = text_of(text);
		request.without_facets = !with_all;
		Lyceum__Experts__V1__FindReply *reply =
			search_find(&view, &request, with_all ? sees_open : sees_all, nullptr);
		bool has_found = reply->n_hits > 0;
		lyceum__experts__v1__find_reply__free_unpacked(reply, nullptr);
		return has_found;
	}

      private:
	struct view view;
};

} // namespace

std::unique_ptr<base> make_ours()
{
	return std::make_unique<ours>();
}

} // namespace bench
