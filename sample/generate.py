#!/usr/bin/env python3
"""Writes the sample network: 800 invented experts in eight regions, one CSV a region, always the same.

Nobody here exists. Names are put together from lists, organisations and references are made up, and every reference begins with SYN-.
Usage: generate.py FOLDER
"""
import csv
import os
import random
import sys

REGIONS = {
    "north-west": ("North West", ["Ashbrook University", "Mersemoor Hospital Trust", "Calder & Finch LLP", "Irwell Biologics"]),
    "north-east": ("North East", ["Tynedale University", "Wansbeck Infirmary Trust", "Hadrian Diagnostics", "Cheviot Legal"]),
    "yorkshire": ("Yorkshire and the Humber", ["Wharfe University", "Ridings Hospital Trust", "Nidd Devices", "Aire Chambers"]),
    "london": ("London", ["Fleet University", "Southbank Infirmary Trust", "Walbrook Patent Attorneys", "Tyburn Therapeutics"]),
    "south-east": ("South East", ["Weald University", "Medway Hospital Trust", "Downs Imaging", "Arun Ventures"]),
    "east": ("East of England", ["Fenmere University", "Broads Hospital Trust", "Nene Genomics", "Ouse Capital"]),
    "wales": ("Wales", ["Prifysgol Cwmhelyg", "Ysbyty Aberwennol", "Teifi Cell Works", "Dyfi Law"]),
    "south-west": ("South West", ["Severnside University", "Tamar Hospital Trust", "Exe Robotics", "Mendip Legal"]),
}

GIVEN = """Ada Amara Anwen Bela Bronagh Callum Carys Chidi Dafydd Delyth Ebele Eilidh Elif Emrys Farah Fionn Gethin Greta Gwen Hamish Ines
Iolo Ishaan Jana Jory Kadir Kerensa Leila Lowri Mabel Madoc Mairi Nasrin Nerys Niamh Obi Olwen Omar Orla Padma Piran Priya Rhian Rhodri
Roisin Rowan Sadia Seren Soren Tamsin Tariq Tegan Una Usha Vikram Wren Yara Ysolde Zahra Zoltán""".split()
FAMILY = """Abernethy Achebe Addlestone Ainscough Beddoe Bellweather Birtwhistle Brackenbury Cadwallader Carrowmore Chaudhry Coldharbour
Dinwiddie Drummore Eastlake Emberton Farquharson Fazackerley Fennimore Garside Glasswright Greystoke Haddock Harkaway Hollowell Ibekwe
Ingleby Jesmond Kettlewell Kilbride Langstaff Lightowler Llewelyn-Rees Lumsden Marchbank Merryweather Müller-Hughes Narang Netherby
O'Dowda Okonjo-Vale Ormerod Osterley Pargeter Penhallow Quarmby Ravenscroft Rosenquist Saltonstall Sandringham Siddiqui Tarrant
Thistlethwaite Trelawny Underhay Uppingham Vasanthakumar Venables Wainscott Whitstable Yarborough Zielińska""".split()

# Subject: words that titles are made of.
SUBJECTS = {
    "cell therapy manufacturing": ["closed-system expansion of T cells", "cryopreservation of autologous products", "potency assays for cell therapies",
                                   "automated manufacture of CAR-T cells", "scale-out of cell therapy manufacturing"],
    "gene therapy vectors": ["lentiviral vector purification", "AAV capsid analytics", "transient transfection at scale"],
    "antimicrobial resistance": ["carbapenemase surveillance in hospitals", "rapid susceptibility testing", "phage therapy for chronic wounds"],
    "medical imaging": ["deep learning for chest radiographs", "low-field MRI in community clinics", "ultrasound elastography of the liver"],
    "digital pathology": ["whole-slide imaging in breast cancer screening", "tumour grading by neural networks", "slide archives across hospitals"],
    "dementia care": ["early detection of Alzheimer's disease", "carers' support at home", "sleep and memory in older adults"],
    "stroke rehabilitation": ["robot-assisted arm training", "telerehabilitation after stroke", "spasticity and botulinum toxin"],
    "maternal health": ["pre-eclampsia risk scores", "postnatal depression in rural areas", "midwife-led continuity of care"],
    "mental health policy": ["waiting times in child services", "parity of esteem in commissioning", "crisis care in the community"],
    "health data governance": ["trusted research environments", "consent for secondary use of records", "synthetic data for hospital statistics"],
    "patent law": ["freedom to operate for biologics", "supplementary protection certificates", "opposition proceedings on stem cells"],
    "clinical trial design": ["adaptive platform trials", "recruitment in district hospitals", "patient-reported outcomes"],
    "vaccine development": ["adjuvants for older adults", "thermostable vaccine formulations", "challenge studies in pertussis"],
    "diagnostics": ["lateral flow tests in schools", "point-of-care troponin", "wastewater PCR monitoring"],
    "genomics": ["whole-genome sequencing of rare diseases", "pharmacogenomics in primary care", "variant interpretation for cardiomyopathy"],
    "microbiome": ["gut flora after antibiotics", "infant microbiome and asthma", "fermented dairy cultures"],
    "regenerative medicine": ["jellyfish collagen scaffolds", "corneal repair with amniotic membrane", "bone grafts by 3D printing"],
    "respiratory disease": ["weather forecasts and COPD admissions", "home spirometry", "air quality and childhood asthma"],
    "medical robotics": ["soft robots for endoscopy", "surgical navigation in orthopaedics", "assistive feeding robots"],
    "health economics": ["cost-effectiveness of screening", "early seed investment in biotechnology", "value-based procurement"],
    "agritech and food": ["raw milk cheese safety", "novel proteins from pulses", "zoonoses on small farms"],
    "drug discovery": ["fragment screening of kinases", "organ-on-chip toxicology", "natural products from marine sponges"],
}
KINDS = ["academic"] * 9 + ["clinician"] * 6 + ["ip lawyer"] * 2 + ["entrepreneur"] * 3 + ["industry scientist"] * 4 + ["investor"] * 2 + ["policy"] * 2 + [
    "practitioner"] * 2 + ["patient"]
EVIDENCE = {
    "academic": (["work", "work", "grant", "talk"], (3, 7)),
    "clinician": (["work", "project", "case"], (2, 5)),
    "ip lawyer": (["case", "case", "talk"], (2, 4)),
    "entrepreneur": (["project", "patent", "talk"], (1, 4)),
    "industry scientist": (["patent", "work", "project"], (2, 5)),
    "investor": (["project", "testimony"], (1, 3)),
    "policy": (["project", "talk"], (1, 4)),
    "practitioner": (["project", "testimony"], (1, 3)),
    "patient": (["testimony", "talk"], (1, 2)),
}
FRAMES = {
    "work": "{}: a cohort study|{}: methods and results|Towards {}|{} in practice",
    "grant": "Programme grant: {}|Fellowship: {}|Centre for {}",
    "case": "Advice on {}|Case report: {}|Proceedings concerning {}",
    "patent": "Apparatus for {}|Method of {}",
    "talk": "Keynote: {}|Seminar: {}",
    "testimony": "Living with the results of {}|Witness statement on {}",
    "project": "Pilot: {}|Roll-out of {}|Service evaluation: {}",
}
SOURCES = {"work": "Synthetic Journal of Medicine", "grant": "Invented Research Council", "case": "Imaginary Court Reports",
           "patent": "Fictional Patent Office", "talk": "Made-up Summit", "testimony": "Invented Inquiry", "project": "Sample Health Board"}
LANGUAGES = {"wales": ["en; cy", "en", "cy; en", "en"]}
COLUMNS = ["expert id", "full name", "kind", "organisation", "department", "region", "topics", "languages", "answers within days", "evidence kind",
           "reference", "evidence title", "year", "source"]


def organisation_of(kind, organisations):
    index = {"academic": 0, "policy": 0, "clinician": 1, "practitioner": 1, "patient": 1, "ip lawyer": 2, "entrepreneur": 3, "investor": 3}.get(kind, 3)
    if kind == "ip lawyer":
        index = next(i for i, name in enumerate(organisations) if any(word in name for word in ("LLP", "Legal", "Law", "Chambers", "Attorneys")) or i == 3)
    return organisations[index]


def person(rng, slug, region, organisations, number, taken):
    while True:
        name = rng.choice(GIVEN) + " " + rng.choice(FAMILY)
        if name not in taken:
            break
    taken.add(name)
    kind = rng.choice(KINDS)
    subjects = ["patent law"] if kind == "ip lawyer" else []
    subjects += rng.sample([s for s in SUBJECTS if s not in subjects], rng.choice([1, 1, 2]))
    head = [f"{slug}-{number:03d}", name, kind, organisation_of(kind, organisations), subjects[0].capitalize(), region, "; ".join(subjects),
            rng.choice(LANGUAGES.get(slug, ["en", "en", "en", "en; fr", "en; ur", "en; pl"])), rng.choice([1, 2, 2, 3, 5, 10])]
    kinds, (least, most) = EVIDENCE[kind]
    rows = []
    for item in range(rng.randint(least, most)):
        evidence = rng.choice(kinds)
        title = rng.choice(FRAMES[evidence].split("|")).format(rng.choice(SUBJECTS[rng.choice(subjects)]))
        rows.append(head + [evidence, f"SYN-{slug}-{number:03d}-{item + 1}", title[0].upper() + title[1:], rng.randint(2009, 2025), SOURCES[evidence]])
    return rows


def main():
    folder = sys.argv[1]
    rng = random.Random(335)
    taken = set()
    for slug, (region, organisations) in REGIONS.items():
        with open(os.path.join(folder, slug + ".csv"), "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for number in range(1, 101):
                writer.writerows(person(rng, slug, region, organisations, number, taken))


if __name__ == "__main__":
    main()
