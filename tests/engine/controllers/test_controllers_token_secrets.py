"""Tokens in Secrets: filled in, recognised, refused once Secret or account is gone."""

import base64
import json

SECRET = """
apiVersion: v1
kind: Secret
metadata: {name: ci-token, annotations: {kubernetes.io/service-account.name: ci}}
type: kubernetes.io/service-account-token
"""


async def made(sh):
    await sh.ok("kubectl create serviceaccount ci")
    await sh.ok(f"kubectl apply -f - <<'EOF'\n{SECRET}\nEOF")
    await sh("sleep 2")
    data = json.loads(await sh.ok("kubectl get secret ci-token -o json"))["data"]
    return {name: base64.b64decode(text).decode() for name, text in data.items()}


REVIEW = '{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}'
URL = "https://10.0.0.1:6443/apis/authentication.k8s.io/v1/selfsubjectreviews"


async def who(sh, token):
    """Ask the API server whose token that is."""
    headers = f"-H 'Authorization: Bearer {token}' -H 'Content-Type: application/json'"
    return (await sh(f"curl -sk {headers} -d '{REVIEW}' {URL}")).out


def test_a_token_secret_is_filled_in_and_its_token_is_the_accounts_until_the_secret_goes(workstation):
    async def story(sh):
        data = await made(sh)
        described = await sh.ok("kubectl describe secret ci-token")
        known = await who(sh, data["token"])
        await sh.ok("kubectl delete secret ci-token")
        await sh("sleep 12")
        return data, described, known, await who(sh, data["token"])

    data, described, known, refused = workstation(story)
    assert (data["namespace"], data["ca.crt"][:27]) == ("default", "-----BEGIN CERTIFICATE-----")
    claims = json.loads(base64.urlsafe_b64decode(data["token"].split(".")[1] + "=="))
    assert (claims["iss"], "exp" in claims) == ("kubernetes/serviceaccount", False)
    assert f"token:      {data['token']}" in described.replace("token:       ", "token:      ")
    assert "system:serviceaccount:default:ci" in known
    assert json.loads(refused)["code"] == 401


def test_it_goes_with_its_account_and_one_for_an_account_that_is_not_there_goes_at_once(workstation):
    async def story(sh):
        await made(sh)
        await sh.ok("kubectl delete serviceaccount ci")
        await sh("sleep 2")
        first = await sh.ok("kubectl get secrets -o name")
        await sh.ok(f"kubectl apply -f - <<'EOF'\n{SECRET}\nEOF")
        await sh("sleep 2")
        return first, await sh.ok("kubectl get secrets -o name")

    assert workstation(story) == ("", "")
