"""A project with every kind of flag that matters to a check."""

TOKEN, KEY, SECRET = "phc_checked_project", "phx_checked_project", "wonderland-plan"


def flag(number, key, conditions, **filters):
    more = {name: filters.pop(name) for name in ("ensure_experience_continuity", "version") if name in filters}
    return {
        "id": number, "key": key, "version": 7, "active": True, "deleted": False, "ensure_experience_continuity": False,
        "filters": {"groups": conditions, "multivariate": None, "payloads": {}, **filters}, **more,
    }  # fmt: skip


def where(*leaves, share=100):
    return {"properties": list(leaves), "rollout_percentage": share}


def leaf(key, operator, value, **more):
    return {"key": key, "type": "person", "operator": operator, "value": value, **more}


def document(**changes):
    flags = [
        flag(1, "plan", [where(leaf("plan", "exact", [SECRET, "pro"]))], payloads={"true": f'"{SECRET}"'}),
        flag(2, "adults", [where(leaf("age", "gte", 18))]),
        flag(3, "share", [where(share=30)]),
        flag(4, "arms", [where()], multivariate={"variants": [
            {"key": "red", "rollout_percentage": 40}, {"key": "blue", "rollout_percentage": 60}]}),
        flag(5, "insiders", [where({"key": "id", "type": "cohort", "value": 5, "operator": "in"})]),
        flag(6, "company", [where(leaf("seats", "gt", 50, type="group", group_type_index=0))], aggregation_group_type_index=0),
        flag(7, "static", [where({"key": "id", "type": "cohort", "value": 9, "operator": "in"})]),
        flag(8, "sticky", [where(share=50)], ensure_experience_continuity=True),
    ]  # fmt: skip
    member = {
        "type": "AND",
        "values": [leaf("mail", "icontains", "@corp.example"), leaf("left", "is_set", "is_set", negation=True)],
    }
    return {
        "flags": [{**one, **changes.get(one["key"], {})} for one in flags],
        "group_type_mapping": {"0": "company"},
        "cohorts": {"5": {"type": "OR", "values": [member]}, "9": {"is_static": True}},
        "service": {"tokens": [TOKEN], "personal_keys": {KEY: {}, "phx_blind": {"scopes": ["insight:read"]}}},
    }
