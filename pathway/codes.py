"""Every canonical URL, identifier system and code this product uses, once."""

from __future__ import annotations

BASE = "https://calcinosis-pathway.example/fhir"
KEY_SYSTEM = f"{BASE}/NamingSystem/pathway-key"
PLAN = f"{BASE}/PlanDefinition/calcinosis-excision-pathway"

ACTIVITY_TYPE = f"{BASE}/CodeSystem/activity-type"
BUSINESS_STATUS = f"{BASE}/CodeSystem/business-status"
ROLE = f"{BASE}/CodeSystem/pathway-role"
DECISION = f"{BASE}/CodeSystem/decision-outcome"
RED_FLAG = f"{BASE}/CodeSystem/red-flag"
PROCEDURE = f"{BASE}/CodeSystem/procedure"
RULE_RESULT = f"{BASE}/CodeSystem/rule-result"
REVIEW_REASON = f"{BASE}/CodeSystem/review-reason"
PARAMETERS = f"{BASE}/CodeSystem/pathway-parameter"
RISK = f"{BASE}/CodeSystem/risk"
RISK_FACTOR = f"{BASE}/CodeSystem/risk-factor"

SNOMED = "http://snomed.info/sct"
SURGICAL_PROCEDURE = "387713003"

TASK_CODE = "http://hl7.org/fhir/CodeSystem/task-code"
SDC_TASK = "http://hl7.org/fhir/uv/sdc/CodeSystem/temp"
CPG_ACTIVITY = "http://hl7.org/fhir/uv/cpg/CodeSystem/cpg-activity-type-cs"
FLAG_CATEGORY = "http://terminology.hl7.org/CodeSystem/flag-category"
APPOINTMENT_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0276"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
PROVENANCE_AGENT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
STATUS_REASON_EXTENSION = "http://hl7.org/fhir/StructureDefinition/event-statusReason"

INDICATIONS = f"{BASE}/Questionnaire/calcinosis-surgery-indications"
SHARED_DECISION = f"{BASE}/Questionnaire/calcinosis-shared-decision"
RECOVERY_DIARY = f"{BASE}/Questionnaire/calcinosis-recovery-diary"
POSTOP_VISIT = f"{BASE}/Questionnaire/calcinosis-postop-visit"
PREOP_CHECKLIST = f"{BASE}/Questionnaire/calcinosis-preop-checklist"
ANESTHESIA_HISTORY = f"{BASE}/Questionnaire/calcinosis-anesthesia-history"
OPERATION_RECORD = f"{BASE}/Questionnaire/calcinosis-operation-record"
OUTCOME = f"{BASE}/Questionnaire/calcinosis-outcome"

RECORD_DECISION = "calcinosis-shared-decision"
REVIEW = f"{BASE}/ActivityDefinition/review"
CONFIRM_DATE = f"{BASE}/ActivityDefinition/confirm-date"
