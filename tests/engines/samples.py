"""Photos, a key and a finished task, as the tests of Meshy's client use them."""

from __future__ import annotations

KEY = "msy_SecretSecretSecretSecretSecret123456"
TASKS = "/openapi/v1/multi-image-to-3d"
FRONT, RIGHT = (b"\xff\xd8front", "front"), (b"\xff\xd8right", "right")
ID = "01999999-aaaa-7bbb-8ccc-dddddddddddd"
SIGNED = "https://assets.meshy.ai/u/tasks/x/output/model.glb?Expires=1&Signature=SIGNATURE&Key-Pair-Id=K"
DONE = {
    "id": ID,
    "type": "multi-image-to-3d",
    "status": "SUCCEEDED",
    "progress": 100,
    "preceding_tasks": 0,
    "created_at": 1793000000000,
    "started_at": 1793000004000,
    "finished_at": 1793000251000,
    "expires_at": 1793259451000,
    "model_urls": {"glb": SIGNED},
    "texture_prompt": "brushed steel",
    "task_error": {"message": ""},
    "consumed_credits": 30,
}
