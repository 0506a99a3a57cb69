"""Judgement of health observations: raw facts in, findings out. Pure, so that history can be judged again."""

from itcare.assess.engine import HEALTH_SCHEMA, assess, assess_missing, assess_statuses
from itcare.assess.finding import SEVERITY, Finding
from itcare.assess.messages import MESSAGES, PHRASES, places, render
from itcare.assess.policy import POLICY_VERSION, Policy, known_thresholds, policy_for, rule_id
from itcare.assess.reading import load_observation
from itcare.assess.units import ENGLISH, POLISH, Style

__all__ = [
    "ENGLISH",
    "HEALTH_SCHEMA",
    "MESSAGES",
    "PHRASES",
    "POLICY_VERSION",
    "POLISH",
    "SEVERITY",
    "Finding",
    "Policy",
    "Style",
    "assess",
    "assess_missing",
    "assess_statuses",
    "known_thresholds",
    "load_observation",
    "places",
    "policy_for",
    "render",
    "rule_id",
]
