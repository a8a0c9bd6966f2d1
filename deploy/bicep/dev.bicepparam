// A small stage for experiments. It is open to the internet, behind the sign-in.
using 'main.bicep'

param stage = 'dev'
param imageTag = readEnvironmentVariable('IMAGE_TAG', '')
param administratorsName = readEnvironmentVariable('ADMINISTRATORS_NAME')
param administratorsId = readEnvironmentVariable('ADMINISTRATORS_ID')
param signInClientId = readEnvironmentVariable('SIGN_IN_CLIENT_ID')
param secrets = {
  'signing-key': readEnvironmentVariable('MFCC_SECRET_SIGNING_KEY', '')
  'dagster-ui-client-secret': readEnvironmentVariable('SIGN_IN_CLIENT_SECRET', '')
  'web-password': readEnvironmentVariable('MFCC_SECRET_WEB_PASSWORD', '')
}
param retentionDays = 7
param runCores = '1.0'
param publicIngress = true
param webReplicas = 0
