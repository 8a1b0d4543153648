"""How a source is to be watched, as a person types it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django import forms

from pipeline.sources.steer import Terms


class TermsForm(forms.Form):
    """How a source is to be watched. Messages say what to do."""

    is_ours = forms.ChoiceField(
        choices=[("yes", "yes"), ("no", "no")],
        error_messages={"required": "Say whether the site’s owner agreed.", "invalid_choice": "Say yes or no."},
    )
    poll_s = forms.IntegerField(min_value=10, max_value=86_400)
    settle_s = forms.IntegerField(min_value=0, max_value=3600)
    daily_budget = forms.IntegerField(min_value=1, max_value=100_000, required=False)
    zone = forms.CharField(max_length=64, error_messages={"required": "Name a zone, such as Europe/Brussels."})

    def clean_zone(self) -> str:
        name = str(self.cleaned_data["zone"]).strip()
        try:
            return ZoneInfo(name).key
        except (KeyError, ValueError, OSError) as error:
            raise forms.ValidationError("No such zone. Name it as Continent/City, such as Europe/Brussels.") from error

    def terms(self) -> Terms:
        """What a valid form says."""
        told = self.cleaned_data
        return Terms(
            is_ours=told["is_ours"] == "yes",
            poll_s=told["poll_s"],
            settle_s=told["settle_s"],
            daily_budget=told["daily_budget"],
            zone=told["zone"],
        )


def typed(terms: Terms) -> dict[str, str]:
    """Terms as the fields show them."""
    budget = "" if terms.daily_budget is None else str(terms.daily_budget)
    fields = {"poll_s": str(terms.poll_s), "settle_s": str(terms.settle_s), "daily_budget": budget, "zone": terms.zone}
    return {"is_ours": "yes" if terms.is_ours else "no", **fields}


def faults(form: forms.Form) -> dict[str, str]:
    """What is wrong with each field, in a sentence."""
    return {name: " ".join(map(str, errors)) for name, errors in form.errors.items()}
